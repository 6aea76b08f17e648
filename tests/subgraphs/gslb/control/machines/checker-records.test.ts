// A checker votes for the vantage point in its machine's record. Administrators set the record; the checker's own
// report does not.
import { beforeEach, expect, test } from '@jest/globals';
import { setCheckerRecord } from '../../../../../platform/machines/checker-record.ts';
import { encodeId, newUuid } from '../../../../../platform/values/ids.ts';
import { ConnectInbox } from '../../../../../subgraphs/gslb/control/checkers/connect-inbox.ts';
import { recordBatch } from '../../../../../subgraphs/gslb/control/checkers/record-batch.ts';
import { readCheckers } from '../../../../../subgraphs/gslb/control/stores/checker-store.ts';
import { readVantagePoints, sharersOf } from '../../../../../subgraphs/gslb/control/stores/vantage-store.ts';
import { forTest } from '../../../../support/jest/shared.ts';
import { GslbGraph, identity } from '../../support/gslb-graph.ts';
import { GslbPlace } from '../../support/gslb-place.ts';

const graph = forTest(() => GslbGraph.open());
let place: GslbPlace;
let inbox: ConnectInbox;

beforeEach(async () => {
  place = await GslbPlace.on(graph);
  for (const name of ['eu', 'us']) await place.vantagePointWithout(name);
  inbox = new ConnectInbox(graph);
});

/** The incarnation, or the reason for the refusal. */
const connect = (id: string, vantagePoint: string): Promise<number | string> =>
  inbox
    .connect({ machine: { id, name: `checker-${id.slice(-4)}` }, vantagePoint, facts: {}, linkedTo: graph.owner })
    .then(
      ({ incarnation }) => incarnation,
      (error: Error) => `${error.name}: ${error.message}`,
    );

/** The number of checkers that share the targets of each vantage point. */
async function shares(): Promise<Readonly<Record<string, number>>> {
  const rows = await readVantagePoints(graph.db);
  const counts = await Promise.all(rows.map(async (row) => (await sharersOf(graph.db, row)).length));
  return Object.fromEntries(rows.map(({ name }, at) => [name, counts[at] ?? 0]));
}

const set = (machineId: string, vantagePoint: string, who = identity('ADMIN')) =>
  graph.mutate(
    'gslbCheckerRecordSet',
    { machineId: encodeId('Machine', machineId), vantagePoint },
    who,
    '{ machine { id } vantagePointName }',
  );

test('a checker that reports another vantage point is refused, also when others connect at the same time', async () => {
  const [stolen, honest, bare] = [newUuid(), newUuid(), newUuid()];
  for (const id of [stolen, honest]) await place.record(id, 'eu');
  const refused =
    /^LinkRefusal: set checker.vantagePoint to eu, like its record, or change the record: tidegate machines update checker-/;
  // The first is recorded alone, the others together.
  const all = await Promise.all([
    connect(stolen, 'us'),
    connect(stolen, 'us'),
    connect(honest, 'eu'),
    connect(bare, 'us'),
  ]);
  expect(all).toEqual([
    expect.stringMatching(refused),
    expect.stringMatching(refused),
    1,
    expect.stringMatching(
      /^LinkRefusal: its record has no vantage point: tidegate machines update checker-.* --vantage-point NAME$/,
    ),
  ]);
  expect(await shares()).toEqual({ eu: 1, us: 0 });
  expect((await readCheckers(graph.db)).map(({ id }) => id)).toEqual([honest]);
  // Its connection at the right vantage point survives a refused connection to another.
  expect(await connect(honest, 'us')).toMatch(refused);
  expect(await shares()).toEqual({ eu: 1, us: 0 });
  expect(await connect(stolen, 'eu')).toBe(1);
});

test('after an administrator moves a checker, its votes count nowhere until it reports the new vantage point', async () => {
  const [moved, other] = [await place.checker('eu'), await place.checker('eu')];
  const member = await place.member('one');
  await place.say(moved, { [member]: 'UP' });
  const before = await place.batch(moved, { [member]: 'DOWN' });
  expect((await set(moved.id, 'us')).entity).toEqual({
    machine: { id: encodeId('Machine', moved.id) },
    vantagePointName: 'us',
  });
  expect(await shares()).toEqual({ eu: 1, us: 0 });
  await expect(recordBatch(graph.db, place.dependencies, moved.id, before)).rejects.toThrow();
  expect(await connect(moved.id, 'eu')).toMatch(/set checker.vantagePoint to us/);
  expect(await connect(moved.id, 'us')).toBeGreaterThan(moved.incarnation);
  expect(await shares()).toEqual({ eu: 1, us: 1 });
  // Setting the same value again changes nothing.
  const [row] = await readCheckers(graph.db);
  expect((await set(other.id, 'eu')).faults).toEqual([]);
  expect(await shares()).toEqual({ eu: 1, us: 1 });
  expect((await readCheckers(graph.db))[0]).toEqual(row);
  const query = '{ gslbCheckers { nodes { vantagePoint { name } record { vantagePointName } } } }';
  const shown = (name: string) => ({ vantagePoint: { name }, record: { vantagePointName: name } });
  expect(await graph.ask(identity('ADMIN'), query)).toEqual({ gslbCheckers: { nodes: [shown('us'), shown('eu')] } });
});

test('only administrators set a record, for machines that are checkers, with a vantage point that exists', async () => {
  const { id } = await place.checker('eu');
  const invited = newUuid();
  await graph.db.transaction((tx) => setCheckerRecord(tx, invited, { vantagePoint: 'eu' }));
  for (const who of ['VIEWER', 'MEMBER', 'OPERATOR'] as const)
    expect((await set(id, 'us', identity(who))).faults).toEqual(['FORBIDDEN ']);
  expect((await set(id, 'nowhere')).faults).toEqual(['NOT_FOUND input.vantagePoint']);
  expect((await set(id, 'US')).faults).toEqual(['INVALID_INPUT input.vantagePoint']);
  expect((await set(newUuid(), 'us')).faults).toEqual(['NOT_FOUND input.machineId']);
  expect(await shares()).toEqual({ eu: 1, us: 0 });
  expect((await set(invited, 'us')).faults).toEqual([]);
  expect(await connect(invited, 'us')).toBe(1);
});
