// A reader that copies all mappings with relayMappingChanges has exactly the relay's mappings, whatever happens between
// two requests.
import { isDeepStrictEqual } from 'node:util';
import { expect, test } from '@jest/globals';
import type { Identity } from '../../../../../platform/caller/identity.ts';
import { encodeId, newUuid } from '../../../../../platform/values/ids.ts';
import { relayRetention } from '../../../../../subgraphs/relay/control/journal/retention.ts';
import { MappingChangeFeed } from '../../../../../subgraphs/relay/control/mappings/change-feed.ts';
import { MappingReads } from '../../../../../subgraphs/relay/control/mappings/mapping-reads.ts';
import { until, waitFor } from '../../../../support/machine/temporary-folder.ts';
import { deletedRows } from '../../../../support/product/deleted-rows.ts';
import { element, NftDevice } from '../../support/nft-device.ts';
import { call, identity, projectA, projectB, registerDevice } from '../../support/relay-system.ts';
import { startRelay } from '../../support/start-relay.ts';

interface Page {
  readonly mappings: readonly { readonly id: string; readonly mappingState: string; readonly version: number }[];
  readonly after: string;
  readonly upToDate: boolean;
}

const { node, device } = await startRelay({ device: () => NftDevice.start(), backend: 'fw' });

async function page(after: string | null, limit = 3, who = identity('VIEWER')): Promise<Page> {
  const text = `query ($after: String, $limit: Int) {
    relayMappingChanges(after: $after, limit: $limit) { mappings { id mappingState version } after upToDate } }`;
  return (await node.ask<{ relayMappingChanges: Page }>(text, { after, limit }, who)).relayMappingChanges;
}

/** Updates a reader's copy; at most 100 pages. */
async function follow(copy: Map<string, string>, from: string | null, who?: Identity): Promise<string> {
  let after = from;
  for (let pages = 0; pages < 100; pages += 1) {
    const got = await page(after, 3, who);
    after = got.after;
    for (const { id, mappingState: state } of got.mappings) {
      if (state === 'DELETED') copy.delete(id);
      else copy.set(id, state);
    }
    if (got.upToDate) return got.after;
  }
  throw new Error('it never says that nothing more is there');
}

/** Follows until the copy is complete. A recent write appears as soon as it is sequenced. */
async function followTo(copy: Map<string, string>, from: string): Promise<string> {
  let after = from;
  await waitFor('a complete copy', async () => {
    after = await follow(copy, after);
    return isDeepStrictEqual(copy, await truth());
  });
  return after;
}

async function truth(): Promise<Map<string, string>> {
  const { data } = await node.run<{ mappings: { nodes: { id: string; mappingState: string }[] } }>(
    identity('VIEWER'),
    '{ mappings(first: 100, mappingStates: [ACTIVE, UNVERIFIED, ORPHAN]) { nodes { id mappingState } } }',
  );
  return new Map(data.mappings.nodes.map(({ id, mappingState }) => [id, mappingState]));
}

const add = (address: string) =>
  call(node, 'add', element('fw', address, { cmpObject: { type: 'tenant', externalId: address } }));

test('a snapshot in pages, then changes: the copy is complete', async () => {
  for (let n = 1; n <= 8; n += 1) await add(`10.4.0.${n}`);
  const copy = new Map<string, string>();
  const first = await page(null);
  expect(first.mappings).toHaveLength(3);
  for (const { id, mappingState: state } of first.mappings) copy.set(id, state);
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

test('a stranger gets none of it', async () => {
  const copy = await page(null, 1_000, identity('VIEWER', projectB));
  expect(copy.mappings).toEqual([]);
});

test.each(['x', Buffer.from('[1,2]').toString('base64url')])('%s is not a position', async (after) => {
  await expect(page(after)).rejects.toThrow(/is not an `after`/);
});

test('a page has 1 to 1000 entries', async () => {
  await expect(page(null, 0)).rejects.toThrow(/out of range/);
  await expect(page(null, 1_001)).rejects.toThrow(/out of range/);
});

test('when a mapping of an old call is deleted, every reader learns of it, whatever retention does', async () => {
  const made = await add('10.5.0.1');
  const id = made.operation?.changedMappings[0]?.id ?? '';
  const copy = new Map<string, string>();
  const after = await followTo(copy, await follow(copy, null));
  expect(copy.has(id)).toBe(true);
  const gone = await call(node, 'delete', { idempotencyKey: 'gone-3', mappingId: id });
  expect(gone).toMatchObject({ operation: { state: 'SUCCEEDED' }, userErrors: [] });
  await node.db.execute(
    "UPDATE operation SET created_at = NOW(3) - INTERVAL 400 DAY, finished_at = created_at WHERE object_key LIKE '%10.5.0.1'",
  );
  const deleted = await deletedRows(relayRetention(node.db, 365 * 86_400_000));
  expect(deleted['operations (SUCCEEDED)']).toBeGreaterThan(0);
  expect(deleted['deleted mappings']).toBe(0);
  await followTo(copy, after);
  expect(copy).toEqual(await truth());
});

test('when a reader gains a project, its mappings appear, and the present ones stay', async () => {
  const owner = identity('OPERATOR', projectB);
  await registerDevice(node, device.ssh, { name: 'fw-b' }, owner);
  const cmpObject = { type: 'tenant', externalId: 'b' };
  const made = await call(node, 'add', element('fw-b', '10.7.0.1', { cmpObject }), owner);
  const reader = identity('VIEWER');
  const copy = new Map<string, string>();
  const after = await follow(copy, null, reader);
  expect(copy).toEqual(await truth());
  const both: Identity = { ...reader, projects: { [projectA]: 'VIEWER', [projectB]: 'VIEWER' } };
  const later = await follow(copy, after, both);
  const theirs = made.operation?.changedMappings[0]?.id ?? '';
  expect(copy).toEqual((await truth()).set(theirs, 'ACTIVE'));
  // From then on there are only changes.
  expect(await page(later, 3, both)).toMatchObject({ mappings: [], upToDate: true });
});

test('a page advances, however many events of others there are', async () => {
  const copy = new Map<string, string>();
  let after = await followTo(copy, await follow(copy, null));
  await node.db.transaction(async (tx) => {
    await tx.query('SELECT next_seq FROM status_sequencer WHERE id = 1 FOR UPDATE');
    const { affectedRows } = await tx.execute(
      `INSERT INTO status_change (seq, event_id, project_id, kind, subject_type, subject_id, subject_version, to_status)
      SELECT s.next_seq + n.seq, UUID(), ?, 'mapping.state', 'Mapping', UUID(), 1, 'ACTIVE'
      FROM status_sequencer s JOIN seq_0_to_119999 n WHERE s.id = 1`,
      [newUuid()],
    );
    await tx.execute('UPDATE status_sequencer SET next_seq = next_seq + ? WHERE id = 1', [affectedRows]);
  });
  await add('10.6.0.1');
  const last = async () => (await node.db.query<{ seq: number }>('SELECT MAX(seq) AS seq FROM status_change'))[0]?.seq;
  await until(async () => node.feed.figures().seq === (await last()));
  const impatient = new MappingChangeFeed({ reads: new MappingReads(node.db), feed: node.feed, patienceMs: 0 });
  const moved = new Set([after]);
  for (let upToDate = false; !upToDate; ) {
    const got = await impatient.page(identity('VIEWER'), { after });
    expect(moved.has(got.after)).toBe(false);
    moved.add(got.after);
    for (const { id, state } of got.mappings) copy.set(encodeId('Mapping', id), state);
    ({ after, upToDate } = got);
  }
  expect(moved.size).toBeGreaterThan(2);
  expect(copy).toEqual(await truth());
});
