// Status changes in the graph: the stream with its filters and cursors, and the history.
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { StatusFeedItem } from '../../../generated/graph/system.ts';
import type { Identity } from '../../../platform/caller/identity.ts';
import { openCursor } from '../../../platform/events/cursor.ts';
import type { SequencedEvent } from '../../../platform/events/feed.ts';
import { encodeCmpObject } from '../../../platform/pages/cmp-object.ts';
import { encodeId, newUuid } from '../../../platform/values/ids.ts';
import { forFile } from '../../support/jest/shared.ts';
import { makeUser, systemBench } from './support/system-bench.ts';

const bench = forFile(() => systemBench());
let viewer: Identity;
let admin: Identity;
let project: string;
let start: string;

beforeAll(async () => {
  project = await bench.system.firstStart.ensureProject('alpha');
  viewer = await makeUser(bench, 'viewer', { projects: { [project]: 'VIEWER' } });
  admin = await makeUser(bench, 'admin', { admin: true });
});

// Each test has its own section of the stream.
beforeEach(async () => {
  await bench.sequence();
  start = await catchUp();
});

/** The newest cursor, once the feed has read everything sequenced. */
async function catchUp(): Promise<string> {
  const [row] = await bench.db.query<{ seq: number }>('SELECT next_seq - 1 AS seq FROM status_sequencer');
  while (bench.feed.figures().seq < (row?.seq ?? 0)) await bench.feed.waitFor(() => true, { timeoutMs: 20 });
  return bench.feed.currentCursor();
}

async function happen(...wishes: Partial<SequencedEvent>[]): Promise<void> {
  const base = { projectId: project, kind: 'relayOperation.state', subjectType: 'RelayOperation', to: 'SENT' };
  await bench.append(...wishes.map((wish) => ({ ...base, ...wish })));
  await bench.sequence();
}

const change =
  'id changedAt kind project { name } subjectType subjectId subjectName subject { __typename id } cmpObject { id namespace type externalId } subjectVersion from to reason requestId';
const variablesOf =
  '$projectId: ID, $kinds: [String!], $subjectId: ID, $subjectTypes: [String!], $cmpObject: CmpObjectInput, $after: String';
const filterOf =
  'projectId: $projectId, kinds: $kinds, subjectId: $subjectId, subjectTypes: $subjectTypes, cmpObject: $cmpObject';
const subscription = `subscription (${variablesOf}) { statusChanges(${filterOf}, after: $after) { cursor change { ${change} } } }`;

interface Reader {
  next(): Promise<StatusFeedItem>;
  stop(): Promise<unknown>;
}

async function read(caller: Identity, variables: object): Promise<Reader> {
  const stream = await bench.subscribe(caller, subscription, variables);
  if (!(Symbol.asyncIterator in stream)) throw new Error(JSON.stringify(stream.errors));
  return {
    async next() {
      const { value } = await stream.next();
      if (!value?.data)
        throw Object.assign(new Error('failed'), { codes: value?.errors?.map((error) => error.extensions?.code) });
      return (value.data as { statusChanges: StatusFeedItem }).statusChanges;
    },
    stop: () => stream.return(undefined),
  };
}

async function history(caller: Identity, variables: object = {}) {
  const document = `query (${variablesOf}, $first: Int) { statusHistory(${filterOf}, first: $first, after: $after) {
    nodes { ${change} } pageInfo { hasNextPage endCursor } } }`;
  return bench.ask(caller, document, variables);
}

describe('the stream', () => {
  test('begins with a checkpoint, and returns events with their subjects as stubs', async () => {
    const reader = await read(viewer, {});
    const begun = await reader.next();
    expect(begun.change).toBeNull();
    expect(openCursor(bench.cursors, begun.cursor)).toEqual(openCursor(bench.cursors, start));
    const backend = newUuid();
    await happen({
      subjectType: 'Backend',
      subjectId: backend,
      subjectName: 'fw-1',
      kind: 'backend.operatingStatus',
      from: 'ONLINE',
      to: 'ERROR',
      reason: 'no answer',
      requestId: 'r1',
    });
    const id = encodeId('Backend', backend);
    expect((await reader.next()).change).toEqual({
      id: expect.any(String),
      changedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      kind: 'backend.operatingStatus',
      project: { name: 'alpha' },
      subjectType: 'Backend',
      subjectId: id,
      subjectName: 'fw-1',
      subject: { __typename: 'Backend', id },
      cmpObject: null,
      subjectVersion: 1,
      from: 'ONLINE',
      to: 'ERROR',
      reason: 'no answer',
      requestId: 'r1',
    });
    await reader.stop();
  });

  test('continues after a cursor: nothing repeated, nothing missing', async () => {
    await happen({ to: 'A' }, { to: 'B' }, { to: 'C' });
    const reader = await read(viewer, { after: start });
    const first = await reader.next();
    await reader.stop();
    const resumed = await read(viewer, { after: first.cursor });
    expect([first.change?.to, (await resumed.next()).change?.to, (await resumed.next()).change?.to]).toEqual([
      'A',
      'B',
      'C',
    ]);
    await resumed.stop();
  });

  test.each([
    ['kinds', () => ({ kinds: ['wanted'] })],
    ['subjectTypes', () => ({ subjectTypes: ['Wanted'] })],
    ['subjectId', () => ({ subjectId: encodeId('Wanted', wantedSubject) })],
    ['projectId', () => ({ projectId: encodeId('Project', project), kinds: ['wanted'] })],
    ['cmpObject', () => ({ cmpObject: { type: 'tenant', externalId: 'wanted' } })],
    ['cmpObject and subjectTypes', () => ({ cmpObject: wantedCmpObject, subjectTypes: ['Wanted'] })],
    ['cmpObject and subjectId', () => ({ cmpObject: wantedCmpObject, subjectId: encodeId('Wanted', wantedSubject) })],
  ])('is filtered by %s, like the history', async (_, filter) => {
    const cmpObject = wantedCmpObject;
    const wanted = { kind: 'wanted', subjectType: 'Wanted', subjectId: wantedSubject, to: 'YES', cmpObject };
    await happen({ to: 'NO' }, wanted, { to: 'NO', cmpObject: { ...cmpObject, namespace: 'other' } });
    const reader = await read(viewer, { ...filter(), after: start });
    let told = await reader.next();
    // On a slow machine the cursor alone may come first.
    while (told.change === null) told = await reader.next();
    expect(told.change?.to).toBe('YES');
    await reader.stop();
    const { data } = await history(viewer, { ...filter(), first: 1 });
    expect(data.statusHistory.nodes[0]?.to).toBe('YES');
  });

  test('shows events without a project to administrators only', async () => {
    await happen(
      { projectId: null, kind: 'user.changed', subjectType: 'User', subjectId: viewer.id, to: 'HIDDEN' },
      { to: 'SHOWN' },
    );
    const [seen, all] = [await read(viewer, { after: start }), await read(admin, { after: start })];
    expect((await seen.next()).change?.to).toBe('SHOWN');
    expect(await all.next()).toMatchObject({
      change: { to: 'HIDDEN', project: null, subject: { __typename: 'User' } },
    });
    await Promise.all([seen.stop(), all.stop()]);
    const texts = [await history(viewer, { first: 2 }), await history(admin, { first: 2 })].map(({ data }) =>
      JSON.stringify(data),
    );
    expect(texts.map((text) => text.includes('HIDDEN'))).toEqual([false, true]);
  });

  test('refuses an invalid cursor, lists that are too long, and unknown kinds and types', async () => {
    const reader = await read(viewer, { after: 'nonsense' });
    await expect(reader.next()).rejects.toMatchObject({ codes: ['INVALID_CURSOR'] });
    const kinds = Array.from({ length: 101 }, () => 'x');
    const refused = await bench.subscribe(viewer, subscription, { kinds });
    expect(refused).toMatchObject({ errors: [{ extensions: { code: 'INVALID_INPUT' } }] });
    expect((await history(viewer, { kinds: ['x'.repeat(65)] })).codes).toEqual(['INVALID_INPUT']);
    for (const filter of [{ kinds: ['backend.circuit', 'backend.color'] }, { subjectTypes: ['Colour'] }]) {
      const { errors, codes } = await history(viewer, filter);
      expect(codes).toEqual(['INVALID_INPUT']);
      expect(errors?.[0]?.message).toMatch(/no status event has "(backend.color|Colour)"; docs\/events.md/);
    }
  });

  test('ends when the reader returns it during a wait', async () => {
    const before = bench.feed.figures().subscriptions;
    const stream = await bench.subscribe(viewer, subscription, { after: start });
    if (!(Symbol.asyncIterator in stream)) throw new Error('refused');
    const waiting = stream.next();
    expect(bench.feed.figures().subscriptions).toBe(before + 1);
    await stream.return(undefined);
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(bench.feed.figures().subscriptions).toBe(before);
  });
});

const wantedSubject = newUuid();
const wantedCmpObject = { namespace: 'default', type: 'tenant', externalId: 'wanted' };

describe('a CMP object', () => {
  const tenant = { namespace: 'default', type: 'tenant', externalId: '42' };
  let other: string;
  let stranger: Identity;

  beforeAll(async () => {
    other = await bench.system.firstStart.ensureProject('beta');
    stranger = await makeUser(bench, 'stranger', { projects: { [other]: 'VIEWER' } });
  });

  /** All events after the start, up to the checkpoint at the end. */
  async function all(caller: Identity, variables: object): Promise<readonly unknown[]> {
    const reader = await read(caller, { after: start, ...variables });
    const told: unknown[] = [];
    for (let item = await reader.next(); item.change != null; item = await reader.next()) told.push(item.change.to);
    await reader.stop();
    return told;
  }

  test('of the same name in another project is another object, also for administrators with a project', async () => {
    await happen(
      { to: 'A1', cmpObject: tenant },
      { to: 'B1', cmpObject: tenant, projectId: other },
      { to: 'A2', cmpObject: { ...tenant, externalId: '43' } },
      { to: 'A3', cmpObject: { ...tenant, type: 'Tenant' } },
      { to: 'A4', cmpObject: tenant },
    );
    await catchUp();
    const ofOther = { projectId: encodeId('Project', other) };
    const cases: [Identity, object, readonly string[]][] = [
      [viewer, {}, ['A1', 'A4']],
      [stranger, {}, ['B1']],
      [viewer, ofOther, []],
      [admin, {}, ['A1', 'B1', 'A4']],
      [admin, ofOther, ['B1']],
    ];
    for (const [caller, filter, wanted] of cases) {
      const variables = { ...filter, cmpObject: { type: 'tenant', externalId: '42' } };
      expect(await all(caller, variables)).toEqual(wanted);
      const { data } = await history(caller, variables);
      expect(data.statusHistory.nodes.map(({ to }) => to)).toEqual(wanted.toReversed());
    }
    const { data } = await history(stranger, { cmpObject: tenant });
    expect(data.statusHistory.nodes[0]?.cmpObject).toEqual({ id: encodeCmpObject(tenant), ...tenant });
  });

  test('has a history in stable pages, over several projects', async () => {
    const cmpObject = { ...tenant, externalId: 'paged' };
    const wishes = ['1', '2', '3', '4', '5'].map((to, at) => ({ to, cmpObject, projectId: at % 2 ? other : project }));
    await happen(...wishes);
    const pages: (readonly string[])[] = [];
    for (let after: string | null = null; pages.length < 4; ) {
      const { data } = await history(admin, { cmpObject, first: 2, after });
      pages.push(data.statusHistory.nodes.map(({ to }) => to));
      after = data.statusHistory.pageInfo.endCursor ?? null;
      if (!data.statusHistory.pageInfo.hasNextPage) break;
    }
    expect(pages).toEqual([['5', '4'], ['3', '2'], ['1']]);
  });

  test('is followed across a reconnect: nothing missing, nothing twice', async () => {
    const reader = await read(viewer, { cmpObject: tenant, after: start });
    await happen({ to: '1', cmpObject: tenant }, { to: 'NO' }, { to: '2', cmpObject: tenant });
    const told: (string | undefined)[] = [];
    let cursor = start;
    while (told.at(-1) !== '2') {
      const item = await reader.next();
      cursor = item.cursor;
      if (item.change != null) told.push(item.change.to);
    }
    await reader.stop();
    await happen({ to: 'NO' }, { to: '3', cmpObject: tenant });
    await catchUp();
    const resumed = await read(viewer, { cmpObject: tenant, after: cursor });
    expect(told).toEqual(['1', '2']);
    expect((await resumed.next()).change?.to).toBe('3');
    await resumed.stop();
  });

  test.each([
    ['namespace', { namespace: 'a b', type: 'tenant', externalId: '42' }],
    ['type', { type: '', externalId: '42' }],
    ['type', { type: 't'.repeat(64), externalId: '42' }],
    ['externalId', { type: 'tenant', externalId: '42 ' }],
    ['externalId', { type: 'tenant', externalId: 'x'.repeat(256) }],
  ])('is refused with a malformed %s', async (field, cmpObject) => {
    const refused = { message: expect.stringContaining(`cmpObject.${field}`), extensions: { code: 'INVALID_INPUT' } };
    expect((await history(viewer, { cmpObject })).errors).toMatchObject([refused]);
    expect(await bench.subscribe(viewer, subscription, { cmpObject })).toMatchObject({ errors: [refused] });
  });
});

describe('the history', () => {
  test('is newest first, in stable pages', async () => {
    const filter = { kinds: ['paged'] };
    await happen(...['1', '2', '3'].map((to) => ({ kind: 'paged', to })));
    const first = await history(viewer, { ...filter, first: 2 });
    expect(first.data.statusHistory.nodes.map((node) => node.to)).toEqual(['3', '2']);
    await happen({ kind: 'paged', to: '4' });
    const { endCursor, hasNextPage } = first.data.statusHistory.pageInfo;
    expect(hasNextPage).toBe(true);
    const second = await history(viewer, { ...filter, first: 2, after: endCursor });
    expect(second.data.statusHistory).toMatchObject({ nodes: [{ to: '1' }], pageInfo: { hasNextPage: false } });
  });

  test('has only sequenced events', async () => {
    await bench.append({ projectId: project, kind: 'unsequenced' });
    const filter = { kinds: ['unsequenced'] };
    expect((await history(viewer, filter)).data.statusHistory.nodes).toEqual([]);
    await bench.sequence();
    expect((await history(viewer, filter)).data.statusHistory.nodes).toHaveLength(1);
  });

  test.each([
    ['first', { first: 0 }],
    ['first', { first: 101 }],
    ['after', { after: 'nonsense' }],
    ['after', { after: Buffer.from('["x"]').toString('base64url') }],
    ['after', { after: Buffer.from('["1; DROP TABLE status_change"]').toString('base64url') }],
  ])('refuses %s %j', async (_, variables) => {
    expect((await history(viewer, variables)).codes).toEqual(['INVALID_INPUT']);
  });
});
