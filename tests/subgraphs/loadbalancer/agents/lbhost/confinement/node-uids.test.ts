// User IDs of nodes are stable, recorded, and used by nothing else.
// needs: processes
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { usualFirstUid } from '../../../../../../subgraphs/loadbalancer/agents/lbhost/confinement/confinement.ts';
import { NodeUids } from '../../../../../../subgraphs/loadbalancer/agents/lbhost/confinement/node-uids.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lb-uids-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('forty nodes have one ID each, which another process of the host knows', async () => {
  const names = Array.from({ length: 40 }, (_, index) => `node-${index}`);
  const one = await NodeUids.open(folder, usualFirstUid);
  const ids = await Promise.all(names.map((name) => one.of(name)));
  expect(new Set(ids).size).toBe(names.length);
  expect(await readFile(join(folder, 'node-7', 'uid'), 'utf8')).toBe(String(ids[7]));
  const other = await NodeUids.open(folder, usualFirstUid);
  expect(await Promise.all(names.map((name) => other.of(name)))).toEqual(ids);
}, 120_000);

test('a node never gets an ID that the machine already uses', async () => {
  const nobody = 65_534;
  const chosen = await (await NodeUids.open(folder, usualFirstUid)).of('node');
  await rm(join(folder, 'node'), { recursive: true });
  // With this range, the same place in it is the user ID of an account that exists on every machine.
  const uids = await NodeUids.open(folder, nobody - (chosen - usualFirstUid));
  expect(await uids.of('node')).toBe(nobody + 1);
});

test('if two nodes have the same record, the second gets another ID', async () => {
  for (const name of ['a', 'b']) {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, 'uid'), String(usualFirstUid + 5));
  }
  const uids = await NodeUids.open(folder, usualFirstUid);
  expect(await uids.of('a')).toBe(usualFirstUid + 5);
  expect(await uids.of('b')).not.toBe(usualFirstUid + 5);
});
