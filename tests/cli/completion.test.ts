// bash completion, with a real bash.
import { expect, test } from '@jest/globals';
import { runProgram } from '../../embedded/run-program.ts';
import { runCommand } from './commands/run-command.ts';

async function completed(...words: string[]): Promise<string[]> {
  const { stdout } = await runCommand(['complete']);
  const line = words.map((word) => `'${word}'`).join(' ');
  const script = `${stdout}\nCOMP_WORDS=(tidegate ${line}); COMP_CWORD=${words.length}; _tidegate; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { exitCode, stdout: found, stderr } = await runProgram('bash', ['--norc', '-c', script]);
  expect([exitCode, stderr]).toEqual([0, '']);
  return found.split('\n').filter((each) => each !== '');
}

test.each<[string[], string[]]>([
  [['back'], ['backends']],
  [['m'], ['memberships', 'mappings', 'members', 'machines', 'migrate']],
  [
    ['operations', ''],
    ['list', 'show', 'settle'],
  ],
  [
    ['operations', 's'],
    ['show', 'settle'],
  ],
  [['operations', 'settle', 'id', '--ver'], ['--verdict']],
  [['operations', 'settle', 'id', '--verdict', 'FAILED', '--no'], ['--note']],
  [['backends', 'list', '--user'], ['--user']],
  [['serve', '--ro'], ['--roles']],
  // A name, or a file.
  [['backends', 'import', ''], []],
  [['nothing', 'known', '--'], []],
])('%j', async (words, expected) => {
  expect(await completed(...words)).toEqual(expected);
});
