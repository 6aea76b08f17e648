// The command line of a simulated FortiGate over SSH: prompt, continued lines, help, paging.

import type { ShellSession } from '../support/ssh-shell.ts';
import type { Terminal } from '../support/terminal.ts';
import { CliSession } from './cli-session.ts';
import { readWords } from './cli-words.ts';
import type { Device } from './device.ts';

export const fortiTerminal = { pagerPrompt: '--More-- ', pagerErase: '\r         \r', helpKeys: '?' } as const;

/** Until the administrator leaves, or `isLoggedIn` reports that the device has ended the session. */
export async function serveShell(
  device: Device,
  terminal: Terminal,
  { session, isLoggedIn }: { readonly session: ShellSession; readonly isLoggedIn: () => boolean },
): Promise<void> {
  // `post-login-banner`, as netmiko meets it (fortinet_ssh.py); any other key ends the session.
  if (device.postLoginBanner) {
    terminal.write('This system is for authorised use only.\n');
    if ((await terminal.ask("(Press 'a' to accept):")) !== 'a') return;
    terminal.write('\n');
  }
  const cli = new CliSession(device, session.cut);
  let typed = '';
  let start = '';
  for (;;) {
    const line = await terminal.readLine(typed === '' ? cli.prompt : '> ', start);
    start = '';
    if (line.kind === 'end' || !isLoggedIn()) return;
    if (line.kind === 'help') {
      // The completions are not simulated; help runs no command and keeps the line.
      terminal.write('<Enter>\n');
      start = line.text;
      continue;
    }
    typed += line.text;
    const read = readWords(typed);
    if (read.kind === 'open') {
      typed = typed.endsWith('\\') ? typed.slice(0, -1) : `${typed}\n`;
      continue;
    }
    typed = '';
    await device.faults.delay();
    const answer = await cli.run(read.words);
    if (answer === 'EXIT') return;
    if (answer === 'SILENT') return await untilGone(terminal);
    const paged = device.settings.get('system console', 'output') === 'more';
    await terminal.print(answer === '' ? '\n' : `${answer}\n`, paged);
  }
}

/** `ssh host command`: one line, unpaged; the exit status has no meaning. */
export async function runCommand(device: Device, command: string, session: ShellSession): Promise<string> {
  const read = readWords(command);
  if (read.kind === 'open') return 'Command fail. Return code -61\n';
  const answer = await new CliSession(device, session.cut).run(read.words);
  return answer === 'EXIT' || answer === 'SILENT' ? '' : answer;
}

async function untilGone(terminal: Terminal): Promise<void> {
  while ((await terminal.readLine('')).kind !== 'end');
}
