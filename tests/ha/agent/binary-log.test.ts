// Transactions that a restarted server recovers from its relay log.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { continuationOf, transactionsAfter } from '../../../ha/agent/binary-log.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidegate-binary-log-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A GTID event: a header of 19 bytes (time, type 162, server, length, end, flags), then number and domain. */
function event(gtid: string): Buffer {
  const [domain = 0, server = 0, number = 0] = gtid.split('-').map(Number);
  const bytes = Buffer.alloc(40);
  bytes.writeUInt8(162, 4);
  bytes.writeUInt32LE(server, 5);
  bytes.writeUInt32LE(bytes.length, 9);
  bytes.writeBigUInt64LE(BigInt(number), 19);
  bytes.writeUInt32LE(domain, 27);
  return bytes;
}

/** Returns the path of the index file. */
async function relayLog(...files: readonly (readonly string[])[]): Promise<string> {
  const names = files.map((_, at) => `relay.00000${at + 1}`);
  for (const [at, gtids] of files.entries())
    await writeFile(join(folder, names[at] ?? ''), Buffer.concat([Buffer.alloc(4), ...gtids.map(event)]));
  const index = join(folder, 'relay.index');
  await writeFile(index, names.map((name) => `./${name}\n`).join(''));
  return index;
}

test('transactions after the last applied one are found, in one file or several', async () => {
  const index = await relayLog(['0-1-7', '0-1-8'], ['0-1-9', '0-1-10']);
  expect(await continuationOf(index, folder, '0-1-8')).toMatchObject({ gtids: ['0-1-9', '0-1-10'], firstAt: 4 });
  expect(await continuationOf(index, folder, '0-1-9')).toMatchObject({ gtids: ['0-1-10'], firstAt: 44 });
  expect(await continuationOf(index, folder, '0-1-10')).toMatchObject({ gtids: [], files: [] });
  // The server has applied nothing, or its last applied transaction is no longer in the log.
  expect(await continuationOf(index, folder, '')).toMatchObject({ gtids: ['0-1-7', '0-1-8', '0-1-9', '0-1-10'] });
  expect(await continuationOf(index, folder, '0-2-6')).toEqual(await transactionsAfter(index, folder, 6));
});

test('a server with a write of its own recovers nothing: it would silently lack the transaction of the same number', async () => {
  const index = await relayLog(['0-1-7'], ['0-1-8', '0-1-9', '0-1-10']);
  expect(await continuationOf(index, folder, '0-2-8')).toEqual({ files: [], gtids: [], firstAt: 0 });
  expect(await continuationOf(index, folder, '0-2-7')).toEqual({ files: [], gtids: [], firstAt: 0 });
  expect(await continuationOf(index, folder, '0-2-10')).toEqual({ files: [], gtids: [], firstAt: 0 });
});

test('200,000 transactions in one file are found', async () => {
  const numbers = Array.from({ length: 200_000 }, (_, at) => `0-1-${at + 1}`);
  const index = await relayLog(numbers);
  expect((await transactionsAfter(index, folder, 1)).gtids).toEqual(numbers.slice(1));
});
