import { describe, expect, test } from '@jest/globals';
import { commands } from '../../../bin/commands/table.ts';
import { runCommand } from './run-command.ts';

describe('the command line', () => {
  test('without a command, and with --help, it lists all commands', async () => {
    const none = await runCommand([]);
    const help = await runCommand(['--help']);
    expect([none.exitCode, help.exitCode]).toEqual([2, 0]);
    expect(help.stdout).toBe(none.stdout);
    for (const { name, summary } of commands) expect(help.stdout).toMatch(new RegExp(`^  ${name} +${summary}`, 'm'));
  });

  test.each(commands.map((entry) => entry.name))('%s --help says its usage and every option', async (name) => {
    const { exitCode, stdout } = await runCommand([name, '--help']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`Usage:\n  tidegate ${name}`);
    const command = await commands.find((entry) => entry.name === name)?.load();
    expect(command?.name).toBe(name);
    for (const option of Object.keys(command?.options ?? {})) expect(stdout).toContain(`--${option}`);
  });

  test.each([
    [['no-such-command'], "there is no command 'no-such-command'"],
    [['backends'], 'one of list, show, create, import, host-key, delete is needed'],
    [['backends', 'toString'], "'toString' is none of"],
    [['backends', 'show'], 'takes NAME'],
    [['backends', 'import'], 'takes FILE'],
    [['backends', 'list', 'more'], 'takes no further argument'],
    [['backends', 'list', '--no-such-option'], '--no-such-option'],
    [['operations', 'list', '--limit', '0'], '--limit must be a whole number from 1 to 100000'],
    [['operations', 'settle', 'x', '--verdict', 'MAYBE'], 'SUCCEEDED or FAILED'],
    [['operations', 'settle', 'x', '--verdict', 'FAILED'], '--verdict needs --note'],
    [['events', '--after', 'x'], '--after needs --follow'],
    [['events', '--follow', '--limit', '3'], 'exclude each other'],
    [['backends', 'create', 'x', '--username', 'u'], 'one of --private-key-file and --backend-password-file is needed'],
    [['mappings', 'shuffle'], "'shuffle' is none of list, show, verify, adopt, forget"],
    [['backends', 'list', '--url', 'ftp://x'], 'no http(s) address'],
    [['keys', 'burn', '/tmp/x'], "'burn' is none of make, list, rotate"],
    [['audit', 'export', '--from', 'yesterday'], "'yesterday' is no time"],
  ])('%j is wrong use: exit code 2', async (args, message) => {
    const { exitCode, stderr, stdout } = await runCommand(args, { env: { TIDEGATE_TOKEN: 'x' } });
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
    expect(stderr).toContain('--help');
  });
});
