// The command line on a terminal: greeting, prompt, pager, the limit on sessions, and faults for lines that change something.

import type { ShellSession } from '../support/ssh-shell.ts';
import type { Terminal } from '../support/terminal.ts';
import { type CliAnswer, CliSession } from './cli.ts';
import type { OnyxDevice } from './device.ts';

export async function serveShell(device: OnyxDevice, terminal: Terminal, session: ShellSession): Promise<void> {
  const { shells, knobs } = device;
  shells.total += 1;
  if (shells.now >= knobs.maxShells) {
    terminal.write('Maximum number of sessions reached.\n');
    return;
  }
  shells.now += 1;
  shells.most = Math.max(shells.most, shells.now);
  terminal.write('\nMellanox Switch\n\n');
  await serve(device, terminal, session);
  shells.now -= 1;
}

async function serve(device: OnyxDevice, terminal: Terminal, session: ShellSession): Promise<void> {
  const cli = new CliSession(device, 'CLI');
  let start = '';
  for (;;) {
    const typed = await terminal.readLine(cli.prompt, start);
    start = '';
    if (typed.kind === 'end') return;
    if (typed.kind === 'help') {
      terminal.write('<cr>\n');
      start = typed.text;
      continue;
    }
    const answer = cli.isWrite(typed.text)
      ? await device.faults.around<CliAnswer>({
          apply: () => cli.execute(typed.text),
          fail: () => ({ output: '% Internal error\n', paged: false }),
          drop: () => session.cut(),
        })
      : await looked(device, cli, typed.text);
    // No answer: nothing more is printed, and input is ignored.
    if (answer === undefined) return silence(terminal);
    await terminal.print(answer.output, answer.paged && cli.paging);
    if (answer.ended) return;
  }
}

async function looked(device: OnyxDevice, cli: CliSession, line: string): Promise<CliAnswer> {
  await device.faults.delay();
  return cli.execute(line);
}

async function silence(terminal: Terminal): Promise<void> {
  while ((await terminal.readLine('')).kind !== 'end');
}
