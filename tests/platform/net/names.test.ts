// User names of hosts whose name server never answers use only a part of the resolver's threads, and wait behind other names.
// needs: root
import { spawn } from 'node:child_process';
import dns from 'node:dns';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { NameLookups } from '../../../platform/net/names.ts';
import { temporaryFolder } from '../../support/machine/temporary-folder.ts';

type Answer = (error: Error | null, found: readonly { address: string; family: number }[]) => void;
let asked: { name: string; answer: () => void }[] = [];
let nowMs = 0;

beforeEach(() => {
  asked = [];
  jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
  jest.spyOn(dns, 'lookup').mockImplementation(((name: string, _options: unknown, done: Answer) => {
    asked.push({ name, answer: () => done(null, [{ address: '192.0.2.1', family: 4 }]) });
  }) as never);
});
afterEach(() => {
  jest.restoreAllMocks();
});

const names = () => asked.map(({ name }) => name);
const ignore = () => undefined;

test('at most the given number of lookups run at once, and the next begins when one ends', () => {
  const lookups = new NameLookups({ atOnce: 2, slowAtOnce: 1 });
  for (const name of ['a', 'b', 'c', 'd']) lookups.lookup(name, ignore);
  expect(names()).toEqual(['a', 'b']);
  asked[1]?.answer();
  expect(names()).toEqual(['a', 'b', 'c']);
});

test('concurrent lookups of a name are shared, and later ones are repeated', () => {
  const lookups = new NameLookups({ atOnce: 5, slowAtOnce: 1 });
  const answers: string[] = [];
  lookups.lookup('a.example', (_error, [found]) => answers.push(`1 ${found?.address}`));
  lookups.lookup('A.example', (_error, [found]) => answers.push(`2 ${found?.address}`));
  expect(names()).toEqual(['a.example']);
  asked[0]?.answer();
  expect(answers).toEqual(['1 192.0.2.1', '2 192.0.2.1']);
  lookups.lookup('a.example', ignore);
  expect(names()).toEqual(['a.example', 'a.example']);
});

test('an aborted caller does not wait, and a name without waiting callers is not looked up', () => {
  const lookups = new NameLookups({ atOnce: 1, slowAtOnce: 1 });
  const answered = jest.fn();
  const giveUps = ['a', 'b', 'b', 'c'].map((name) => lookups.lookup(name, () => answered()));
  giveUps[1]?.();
  giveUps[3]?.();
  giveUps[0]?.();
  asked[0]?.answer();
  expect(answered).not.toHaveBeenCalled();
  expect(names()).toEqual(['a', 'b']);
  asked[1]?.answer();
  expect(answered).toHaveBeenCalledTimes(1);
  expect(names()).toEqual(['a', 'b']);
});

test('names that were slow wait behind fast ones, with their own share, until they are fast', () => {
  const lookups = new NameLookups({ atOnce: 3, slowAtOnce: 1, slowAfterMs: 100 });
  for (const name of ['slow1', 'slow2', 'slow3']) lookups.lookup(name, ignore);
  nowMs += 100;
  for (const each of asked.splice(0)) each.answer();
  for (const name of ['slow1', 'slow2', 'slow3', 'quick1', 'quick2', 'quick3']) lookups.lookup(name, ignore);
  expect(names()).toEqual(['slow1', 'quick1', 'quick2']);
  asked[1]?.answer();
  asked[2]?.answer();
  expect(names()).toEqual(['slow1', 'quick1', 'quick2', 'quick3']);
  asked[0]?.answer();
  expect(names().slice(4)).toEqual(['slow2']);
  lookups.lookup('slow1', ignore);
  expect(names().slice(5)).toEqual(['slow1']);
});

const testAsRoot = process.getuid?.() === 0 ? test : test.skip;

testAsRoot(
  "names of users whose server never answers do not keep the installation's own from being resolved",
  async () => {
    const folder = await temporaryFolder();
    try {
      const resolver = join(folder.path, 'resolv.conf');
      await writeFile(resolver, 'nameserver 127.0.0.77\noptions timeout:3 attempts:1\n');
      const script = `ip link set lo up && mount --bind '${resolver}' /etc/resolv.conf && exec "$0" "$1"`;
      const program = fileURLToPath(new URL('silent-names.ts', import.meta.url));
      const child = spawn('unshare', ['--mount', '--net', 'sh', '-c', script, process.execPath, program], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      expect(await text(child.stdout)).toBe('localhost 127.0.0.1\n');
    } finally {
      await folder.remove();
    }
  },
  60_000,
);
