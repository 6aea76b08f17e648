// Status events from another team's subgraph. Only a machine of that subgraph may send them, about its own Nodes and
// under its own kinds. A batch is written completely or not at all, each event once, and no more than the subgraph's
// share.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Identity } from '../../../platform/caller/identity.ts';
import { insertSubgraphRecord } from '../../../platform/machines/subgraph-record.ts';
import { encodeId, newUuid } from '../../../platform/values/ids.ts';
import { makeUser, type SystemBench, systemBench } from './support/system-bench.ts';

let bench: SystemBench;
let sender: Identity;
let member: Identity;
let counter = 0;
const project = newUuid();
const rack = newUuid();
const perMinute = 1_200;

beforeAll(async () => {
  bench = await systemBench({
    outsideNodes: new Map(Object.entries({ inventory: ['Rack', 'Shelf'], metering: ['Meter'] })),
  });
  await addProject(project, 'one');
  member = await makeUser(bench, 'member', { projects: { [project]: 'VIEWER' } });
  sender = await machineOf('inventory');
});
afterAll(() => bench?.stop());

async function addProject(id: string, name: string | null): Promise<void> {
  await bench.db.execute('INSERT INTO project (id, name) VALUES (?, ?)', [id, name ?? 'gone']);
  await bench.db.execute('INSERT INTO project_name (project_id, name) VALUES (?, ?)', [id, name]);
}

async function machineOf(subgraph: string | undefined, machineRole = 'subgraph'): Promise<Identity> {
  const id = newUuid();
  const name = `m-${id}`;
  await bench.db.transaction(async (tx) => {
    await tx.execute(
      'INSERT INTO machine (id, name, active_name, role, join_hash, join_until, created_by) VALUES (?, ?, ?, ?, ?, NOW(3), ?)',
      [id, name, name, machineRole, newUuid(), newUuid()],
    );
    if (subgraph !== undefined) await insertSubgraphRecord(tx, id, { name: subgraph });
  });
  return { kind: 'machine', id, name, admin: false, projects: {}, credentialId: id, machineRole };
}

const event = (more: object = {}) => ({
  ...{ projectId: encodeId('Project', project), subjectId: encodeId('Rack', rack), kind: 'power', to: 'ON' },
  ...more,
});

async function send(events: readonly object[], { as = sender, key = `key-${counter++}` } = {}) {
  const document = `mutation ($input: StatusEventsAddInput!) {
    statusEventsAdd(input: $input) { addedCount commit { token } userErrors { code field message retry retryAfterMs } } }`;
  const { data, codes, errors } = await bench.ask(as, document, { input: { idempotencyKey: key, events } });
  return { ...data?.statusEventsAdd, codes, errors };
}

const faultsOf = ({ userErrors }: Awaited<ReturnType<typeof send>>) =>
  userErrors?.map(({ code, field }) => `${code} ${field.slice(1).join('.')}`);
const written = () =>
  bench.db.query<{ kind: string; type: string; id: string; to: string }>(
    'SELECT kind, subject_type AS type, subject_id AS id, to_status AS `to` FROM status_change ORDER BY id',
  );
const clear = () => bench.db.execute('DELETE FROM status_change WHERE seq IS NULL');

test('a batch is written in order under the name of the subgraph, and members of the project see it', async () => {
  const shelf = newUuid();
  const sent = await send([
    event({ from: 'OFF', reason: 'switched on', subjectVersion: 7 }),
    event({ subjectId: encodeId('Shelf', shelf), kind: 'moved', to: 'ROW_2' }),
  ]);
  expect(sent).toMatchObject({ addedCount: 2, userErrors: [], commit: { token: expect.any(String) } });
  expect(await written()).toEqual([
    { kind: 'inventory:Rack.power', type: 'Rack', id: rack, to: 'ON' },
    { kind: 'inventory:Shelf.moved', type: 'Shelf', id: shelf, to: 'ROW_2' },
  ]);
  await bench.sequence();
  const history = `query ($kinds: [String!], $subjectTypes: [String!]) { statusHistory(kinds: $kinds, subjectTypes: $subjectTypes) {
    nodes { kind from to reason subjectVersion subject { __typename id } } } }`;
  const shown = { from: 'OFF', to: 'ON', reason: 'switched on', subjectVersion: 7 };
  const filters = [{ kinds: ['inventory:Rack.power'] }, { subjectTypes: ['Rack'] }];
  for (const filter of filters)
    expect((await bench.ask(member, history, filter)).data.statusHistory?.nodes).toEqual([
      { kind: 'inventory:Rack.power', ...shown, subject: { __typename: 'Rack', id: encodeId('Rack', rack) } },
    ]);
  for (const kinds of [
    'inventory:Meter.power',
    'other:Rack.power',
    'inventory:Rack.',
    'inventory:Rack.a.b',
    'Rack.power',
  ])
    expect((await bench.ask(member, history, { kinds: [kinds] })).codes).toEqual(['INVALID_INPUT']);
  const another = newUuid();
  await addProject(another, 'another');
  const stranger = await makeUser(bench, 'stranger', { projects: { [another]: 'OPERATOR' } });
  expect((await bench.ask(stranger, history)).data.statusHistory?.nodes).toEqual([]);
});

test('only a machine of a configured subgraph may send', async () => {
  await clear();
  const before = await written();
  const admin = await makeUser(bench, 'admin', { admin: true });
  expect((await send([event()], { as: admin })).codes).toEqual(['FORBIDDEN']);
  expect((await send([event()], { as: member })).codes).toEqual(['FORBIDDEN']);
  expect(faultsOf(await send([event()], { as: await machineOf(undefined, 'relay') }))).toEqual(['FORBIDDEN ']);
  expect(faultsOf(await send([event()], { as: await machineOf('inventory', 'relay') }))).toEqual(['FORBIDDEN ']);
  expect(faultsOf(await send([event()], { as: await machineOf('unknown') }))).toEqual(['WRONG_STATE ']);
  const revoked = await machineOf('inventory');
  await bench.db.execute('UPDATE machine SET revoked_at = NOW(3) WHERE id = ?', [revoked.id]);
  expect(faultsOf(await send([event()], { as: revoked }))).toEqual(['BAD_CREDENTIALS ']);
  expect(await written()).toEqual(before);
});

test.each<[string, object, string]>([
  ['a kind of ours', { kind: 'project.deleted' }, 'INVALID_INPUT events.1.kind'],
  ['a kind of another subgraph', { kind: 'metering:Meter.power' }, 'INVALID_INPUT events.1.kind'],
  ['a kind that is too long', { kind: 'a'.repeat(33) }, 'TOO_LONG events.1.kind'],
  ['a type of ours', { subjectId: encodeId('Project', project) }, 'INVALID_INPUT events.1.subjectId'],
  ['a type of another subgraph', { subjectId: encodeId('Meter', newUuid()) }, 'INVALID_INPUT events.1.subjectId'],
  ['an id that is no UUID', { subjectId: encodeId('Rack', '1') }, 'INVALID_INPUT events.1.subjectId'],
  ['an id that is too long', { subjectId: 'x'.repeat(5_000) }, 'INVALID_INPUT events.1.subjectId'],
  ['a project that does not exist', { projectId: encodeId('Project', newUuid()) }, 'NOT_FOUND events.1.projectId'],
  ['an id that is no project', { projectId: encodeId('Rack', project) }, 'NOT_FOUND events.1.projectId'],
  ['a status in lower case', { to: 'on' }, 'INVALID_INPUT events.1.to'],
  ['a status that is too long', { from: 'A'.repeat(33) }, 'TOO_LONG events.1.from'],
  ['a reason that is too long', { reason: 'x'.repeat(1_025) }, 'TOO_LONG events.1.reason'],
  ['a reason with control characters', { reason: 'a\u0000b' }, 'INVALID_INPUT events.1.reason'],
  ['a negative version', { subjectVersion: -1 }, 'INVALID_INPUT events.1.subjectVersion'],
])('%s is refused with its field, and nothing of the batch is written', async (_, more, fault) => {
  const before = await written();
  expect(faultsOf(await send([event(), event(more)]))).toEqual([fault]);
  expect(await written()).toEqual(before);
});

test('a deleted project is refused at each of its events, so that a sender can leave these out', async () => {
  const gone = newUuid();
  await addProject(gone, null);
  const projectId = encodeId('Project', gone);
  const before = await written();
  expect(faultsOf(await send([event({ projectId }), event(), event({ projectId })]))).toEqual([
    'NOT_FOUND events.0.projectId',
    'NOT_FOUND events.2.projectId',
  ]);
  expect(await written()).toEqual(before);
});

test('a batch has 1 to 100 events', async () => {
  const before = await written();
  expect(faultsOf(await send([]))).toEqual(['INVALID_INPUT events']);
  expect(faultsOf(await send(Array.from({ length: 101 }, () => event())))).toEqual(['TOO_LONG events']);
  expect(await written()).toEqual(before);
});

test('a repeated batch gets the same answer and writes nothing, and a key belongs to one batch of one machine', async () => {
  await clear();
  const key = 'once';
  const all = await Promise.all(Array.from({ length: 8 }, () => send([event()], { key })));
  const first = all.find(({ userErrors }) => userErrors?.length === 0);
  for (const each of all) if (each.userErrors?.length === 0) expect(each).toEqual(first);
  expect(await send([event()], { key })).toEqual(first);
  expect(faultsOf(await send([event({ to: 'OFF' })], { key }))).toEqual(['KEY_CONFLICT idempotencyKey']);
  expect((await written()).filter(({ to }) => to === 'OFF')).toEqual([]);
  const [row] = await bench.db.query<{ count: number }>(
    'SELECT COUNT(*) AS count FROM status_change WHERE seq IS NULL',
  );
  expect(Number(row?.count)).toBe(1);
});

test('a flood beyond the allowance is refused with a wait time, costs others nothing, and does not load the audit trail', async () => {
  await clear();
  const flooding = await machineOf('metering');
  const second = await machineOf('metering');
  const meter = event({ subjectId: encodeId('Meter', newUuid()), reason: 'x'.repeat(1_000) });
  const batch = Array.from({ length: 100 }, () => meter);
  const startedMs = performance.now();
  // Ten at a time. On a starved machine more would wait too long for a connection, and be BUSY.
  const lanes = Array.from({ length: 10 }, async (_, lane) => {
    const answers = [];
    for (let sent = 0; sent < 10; sent += 1) answers.push(await send(batch, { as: lane % 2 ? flooding : second }));
    return answers;
  });
  const flood = Promise.all(lanes);
  await bench.append({ projectId: project, kind: 'wanted', subjectType: 'Wanted' });
  const other = await send([event()]);
  expect(other).toMatchObject({ addedCount: 1, userErrors: [] });
  const answers = (await flood).flat();
  const seconds = (performance.now() - startedMs) / 1_000;
  const taken = answers.filter(({ addedCount }) => addedCount === 100).length * 100;
  expect(taken).toBeGreaterThanOrEqual(perMinute);
  expect(taken).toBeLessThanOrEqual(perMinute + (seconds * perMinute) / 60);
  for (const { userErrors } of answers)
    if (userErrors?.length)
      expect(userErrors).toMatchObject([{ code: 'RATE_LIMITED', retry: 'SAME_KEY', retryAfterMs: expect.any(Number) }]);
  const [row] = await bench.db.query<{ longest: number }>(
    "SELECT MAX(LENGTH(details)) AS longest FROM audit_entry WHERE action = 'statusEventsAdd' AND outcome = 'ACCEPTED'",
  );
  expect(Number(row?.longest)).toBeLessThan(100);
});
