// Completion, with the real shells.
// needs: zsh, fish, bsdutils
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { runProgram } from '../../embedded/run-program.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';
import { GraphServer, goodToken, pageOf } from './commands/graph-server.ts';
import { runCommand } from './commands/run-command.ts';

type Shell = 'bash' | 'zsh' | 'fish';
const program = join(import.meta.dirname, '../../bin/tidegate');

let folder: TemporaryFolder;
let server: GraphServer;
const scripts: Record<string, string> = {};

beforeAll(async () => {
  [folder, server] = await Promise.all([temporaryFolder(), GraphServer.start()]);
  for (const shell of ['bash', 'zsh', 'fish']) scripts[shell] = (await runCommand(['complete', shell])).stdout;
  await symlink(program, join(folder.path, 'tidegate'));
  await writeFile(join(folder.path, 'token'), goodToken);
  await mkdir(join(folder.path, 'files'));
  await writeFile(join(folder.path, 'files', 'call.graphql'), '');
});
beforeEach(() => {
  const all = ['edge', 'edge-2', 'core'].map((name) => ({ id: name, name, operatingStatus: 'ONLINE' }));
  server.answers = {
    backends: (args: { first: number; after: string | null; text?: string | null }) =>
      pageOf(
        all.filter(({ name }) => name.includes(args.text ?? '')),
        { ...args, after: args.after ?? null },
      ),
  };
});
afterAll(async () => {
  await server.stop();
  await folder.remove();
});

/** The completions of the shell itself for the last word. It runs in the folder and finds the program by PATH. */
async function completed(shell: Shell, ...words: string[]): Promise<string[]> {
  const quoted = words.map((word) => `'${word}'`).join(' ');
  const run = {
    bash: `${scripts.bash}\nCOMP_WORDS=(tidegate ${quoted}); COMP_CWORD=${words.length}; COMP_LINE="tidegate ${words.join(' ')}"; _tidegate; printf '%s\\n' "\${COMPREPLY[@]}"`,
    // In place of the line editor, compadd prints its arguments.
    zsh: `autoload() { :; }; compdef() { :; }; compadd() { shift; print -l -- "$@"; }; _files() { print -l -- *; }\n${scripts.zsh}\nwords=(tidegate ${quoted}); CURRENT=${words.length + 1}; PREFIX='${words.at(-1) ?? ''}'; _tidegate`,
    fish: `${scripts.fish}\ncomplete -C 'tidegate ${words.join(' ')}'`,
  }[shell];
  const flags = { bash: ['--norc', '-c'], zsh: ['-f', '-c'], fish: ['--no-config', '-c'] }[shell];
  const found = await runProgram('env', [
    ...['-C', folder.path, `PATH=${folder.path}:${process.env.PATH}`, `HOME=${folder.path}`, 'LANG=C.UTF-8'],
    ...[shell, ...flags, run],
  ]);
  expect([found.exitCode, found.stderr]).toEqual([0, '']);
  const offered = found.stdout
    .split('\n')
    .map((each) => each.split('\t')[0] ?? '')
    .filter((each) => each !== '');
  // Shells filter the words that a function offers. bash is the exception; its script filters them.
  return offered.filter((each) => each.startsWith(words.at(-1) ?? '')).sort();
}

/** Names appear within half a second, or not at all. On a busy machine a person presses the key again. */
async function offers(shell: Shell, names: readonly string[], ...words: string[]): Promise<void> {
  let found: readonly string[] = [];
  await waitFor(`${shell} to offer names`, async () => {
    found = await completed(shell, ...words);
    return found.length > 0;
  });
  expect(found).toEqual(names);
}

const connection = () => ['--url', server.url, '--token-file', join(folder.path, 'token')];

describe.each<Shell>(['bash', 'zsh', 'fish'])('%s', (shell) => {
  test.each<[string[], string[]]>([
    [['back'], ['backends', 'backup']],
    [['m'], ['machines', 'mappings', 'members', 'memberships', 'migrate']],
    [
      ['operations', ''],
      ['--help', 'list', 'settle', 'show'],
    ],
    // Other words for a noun.
    [
      ['op', 's'],
      ['settle', 'show'],
    ],
    [
      ['operation', 's'],
      ['settle', 'show'],
    ],
    [['operations', 'settle', 'id', '--ver'], ['--verdict']],
    [
      ['operations', 'settle', 'id', '--verdict', ''],
      ['FAILED', 'SUCCEEDED'],
    ],
    [['operations', 'settle', 'id', '--verdict', 'FAILED', '--no'], ['--note']],
    [['backends', 'list', '--user'], ['--user']],
    [
      ['backends', 'list', '-o', ''],
      ['json', 'name', 'table', 'wide', 'yaml'],
    ],
    [['serve', '--ro'], ['--roles']],
    [['complete', 'z'], ['zsh']],
    [['nothing', 'known', '--'], []],
    // Nothing is known about a value.
    [['backends', 'list', '--user', ''], []],
  ])('%j', async (words, expected) => {
    expect(await completed(shell, ...words)).toEqual(expected);
  });

  test('names of objects are requested from the server that the line names', async () => {
    const both = ['edge', 'edge-2'];
    await offers(shell, both, 'backends', 'show', ...connection(), 'ed');
    await offers(shell, both, 'operations', 'list', ...connection(), '--backend', 'ed');
    await offers(shell, ['core'], 'call', ...connection(), '--wait', '3', 'c');
  });
});

test('a name that a shell would execute is quoted in bash, which inserts it as it is', async () => {
  const name = 'x;$(id)`id`';
  const shown = { id: 'id', name, operatingStatus: 'ONLINE' };
  server.answers = { backends: () => pageOf([shown], { first: 100, after: null }) };
  const quoted = 'x\\;\\$\\(id\\)\\`id\\`';
  await offers('bash', [quoted], 'backends', 'show', ...connection(), 'x');
  // The inserted text is understood when the key is pressed again.
  await offers('bash', [quoted], 'backends', 'show', ...connection(), 'x\\;');
  for (const shell of ['zsh', 'fish'] as const) await offers(shell, [name], 'backends', 'show', ...connection(), 'x');
});

test('no names appear without a server, without a login, and for words that are not kinds', async () => {
  for (const line of ['backends --line --url=x', 'backends', 'nothing', 'contexts'])
    expect(await runCommand(['complete-names', ...line.split(' ')], { env: {} })).toEqual({
      ...{ exitCode: 0, stdout: '', stderr: '' },
    });
});

test('a silent server is given up after half a second', async () => {
  server.answers = { backends: () => new Promise(() => undefined) };
  const line = `backends list --url ${server.url} --token-file ${join(folder.path, 'token')}`;
  const begun = performance.now();
  expect(await runCommand(['complete-names', 'backends', '--line', line])).toEqual({
    ...{ exitCode: 0, stdout: '', stderr: '' },
  });
  // The time itself is not checked, only that it did not wait for the deadline of a request.
  expect(performance.now() - begun).toBeLessThan(60_000);
});

test('another shell is refused', async () => {
  expect(await runCommand(['complete', 'tcsh'])).toMatchObject({
    ...{ exitCode: 64, stderr: expect.stringContaining('bash, zsh, fish') },
  });
});
