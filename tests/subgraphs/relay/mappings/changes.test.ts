// A reader that copies all mappings by relayMappingChanges has exactly the relay's mappings, whatever
// happens between two requests.
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { element, NftDevice } from '../support/nft-device.ts';
import { call, identity, projectB, type RelayNode, RelaySystem } from '../support/relay-system.ts';

interface Page {
  readonly mappings: readonly { readonly id: string; readonly state: string; readonly version: number }[];
  readonly after: string;
  readonly upToDate: boolean;
}

let system: RelaySystem;
let node: RelayNode;
let device: NftDevice;

beforeAll(async () => {
  system = await RelaySystem.start();
  node = await system.node();
  device = await NftDevice.start();
  await device.register(node, 'fw');
});
afterAll(async () => {
  await system.stop();
  await device.ssh.stop();
});

async function page(after: string | null, limit = 3, who = identity('VIEWER')): Promise<Page> {
  const { data, errors } = await node.run<{ relayMappingChanges: Page }>(
    who,
    'query ($after: String, $limit: Int) { relayMappingChanges(after: $after, limit: $limit) { mappings { id state version } after upToDate } }',
    { after, limit },
  );
  if (errors.length > 0) throw new Error(errors.map((error) => error.message).join('; '));
  return data.relayMappingChanges;
}

/** A reader's copy, updated; at most 100 pages. */
async function follow(copy: Map<string, string>, from: string | null): Promise<string> {
  let after = from;
  for (let pages = 0; pages < 100; pages += 1) {
    const got = await page(after);
    after = got.after;
    for (const { id, state } of got.mappings) {
      if (state === 'DELETED') copy.delete(id);
      else copy.set(id, state);
    }
    if (got.upToDate) return got.after;
  }
  throw new Error('it never says that nothing more is there');
}

/** Until the copy is complete: a recent write appears as soon as it is sequenced. */
async function followTo(copy: Map<string, string>, from: string): Promise<string> {
  let after = from;
  for (let tries = 0; tries < 100; tries += 1) {
    after = await follow(copy, after);
    if (isDeepStrictEqual(copy, await truth())) break;
    await sleep(50);
  }
  return after;
}

async function truth(): Promise<Map<string, string>> {
  const { data } = await node.run<{ mappings: { nodes: { id: string; state: string }[] } }>(
    identity('VIEWER'),
    '{ mappings(first: 100, states: [ACTIVE, UNVERIFIED, ORPHAN]) { nodes { id state } } }',
  );
  return new Map(data.mappings.nodes.map(({ id, state }) => [id, state]));
}

const add = (address: string) =>
  call(node, 'add', element('fw', address, { cmpObject: { type: 'tenant', externalId: address } }));

test('a snapshot in pages, then changes: the copy is complete', async () => {
  for (let n = 1; n <= 8; n += 1) await add(`10.4.0.${n}`);
  const copy = new Map<string, string>();
  const first = await page(null);
  expect(first.mappings).toHaveLength(3);
  for (const { id, state } of first.mappings) copy.set(id, state);
  // Between two pages of the snapshot a listed mapping is deleted, and new ones are created.
  const gone = first.mappings[0]?.id;
  await call(node, 'delete', { idempotencyKey: 'gone-1', mappingId: gone });
  await add('10.4.0.9');
  let after = await followTo(copy, first.after);
  expect(copy).toEqual(await truth());
  expect(copy.has(gone ?? '')).toBe(false);
  await add('10.4.0.10');
  await call(node, 'delete', { idempotencyKey: 'gone-2', mappingId: [...copy.keys()][0] });
  after = await followTo(copy, after);
  expect(copy).toEqual(await truth());
  expect((await page(after)).mappings).toEqual([]);
});

test('a stranger gets nothing of it', async () => {
  const copy = await page(null, 1_000, identity('VIEWER', projectB));
  expect(copy.mappings).toEqual([]);
});

test.each(['x', Buffer.from('[1,2]').toString('base64url')])('%s is not a position', async (after) => {
  await expect(page(after)).rejects.toThrow(/is not an `after`/);
});

test('a page has 1 to 1000', async () => {
  await expect(page(null, 0)).rejects.toThrow(/out of range/);
  await expect(page(null, 1_001)).rejects.toThrow(/out of range/);
});
