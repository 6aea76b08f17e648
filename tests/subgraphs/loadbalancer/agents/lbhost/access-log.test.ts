// The access log is bounded in size and in lines per second.
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { AccessLog } from '../../../../../subgraphs/loadbalancer/agents/lbhost/access-log.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lb-access-'));
  path = join(folder, 'access.log');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a full file is kept once, and only the owner can read the two files', async () => {
  const log = new AccessLog({ path, mostBytes: 100, linesPerSecond: 1_000_000 });
  for (let n = 0; n < 50; n += 1) {
    log.write(JSON.stringify({ n }).padEnd(29));
    await log.written();
  }
  const [now, before] = await Promise.all([path, `${path}.1`].map((each) => stat(each)));
  expect([now?.size, before?.size]).toEqual([60, 90]);
  expect((now?.mode ?? 0) & 0o777).toBe(0o600);
  expect(JSON.parse((await readFile(path, 'utf8')).trim().split('\n').at(-1) ?? '')).toEqual({ n: 49 });
});

test('lines beyond the limit per second are counted, not written', async () => {
  let now = 5_000;
  const log = new AccessLog({ path, linesPerSecond: 3, now: () => now });
  for (let n = 0; n < 10; n += 1) log.write(`{"n":${n}}`);
  now = 6_000;
  log.write('{"n":10}');
  await log.written();
  expect(
    (await readFile(path, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual([...[{ n: 0 }, { n: 1 }, { n: 2 }], ...[{ at: 6, leftOut: 7 }, { n: 10 }]]);
});

test('a failing disk stops nothing', async () => {
  const log = new AccessLog({ path: join(folder, 'no', 'such', 'folder') });
  log.write('{}');
  await expect(log.written()).resolves.toBeUndefined();
});
