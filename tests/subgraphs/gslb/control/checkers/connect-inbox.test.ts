// Checkers that connect or fall silent at the same time share one new epoch, because in each epoch all checkers of the
// vantage point report everything again.
import { beforeEach, expect, test } from '@jest/globals';
import type { Database } from '../../../../../platform/database/database.ts';
import { newUuid } from '../../../../../platform/values/ids.ts';
import { ConnectInbox } from '../../../../../subgraphs/gslb/control/checkers/connect-inbox.ts';
import {
  type Connection,
  endSharing,
  readCheckers,
} from '../../../../../subgraphs/gslb/control/stores/checker-store.ts';
import { readVantagePoints, sharersOf } from '../../../../../subgraphs/gslb/control/stores/vantage-store.ts';
import { forTest } from '../../../../support/jest/shared.ts';
import { GslbPlace } from '../../support/gslb-place.ts';

const place = forTest(() => GslbPlace.open());
let inbox: ConnectInbox;
let transactions = 0;

beforeEach(async () => {
  await place.vantagePointWithout('eu');
  await place.vantagePointWithout('us');
  transactions = 0;
  const { db, wake } = place.ground;
  const counted = new Proxy(db, {
    get(target, property) {
      if (property === 'transaction') transactions += 1;
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  }) as Database;
  inbox = new ConnectInbox({ db: counted, wake });
});

function connections(vantagePoint: string, count: number): Connection[] {
  return Array.from({ length: count }, () => {
    const id = newUuid();
    return { machine: { id, name: id }, vantagePoint, facts: {}, linkedTo: place.ground.owner };
  });
}

async function connectAll(all: readonly Connection[]): Promise<readonly (number | string)[]> {
  for (const { machine, vantagePoint } of all) await place.record(machine.id, vantagePoint);
  transactions = 0;
  const outcomes = await Promise.allSettled(all.map((each) => inbox.connect(each)));
  return outcomes.map((each) => (each.status === 'fulfilled' ? each.value.incarnation : String(each.reason)));
}

/** The epoch and the number of sharing checkers of each vantage point. A new vantage point is in its first epoch. */
async function epochs() {
  const { db } = place.ground;
  const rows = await readVantagePoints(db);
  const shared = await Promise.all(rows.map(async (row) => [row.epoch, (await sharersOf(db, row)).length]));
  return Object.fromEntries(rows.map(({ name }, at) => [name, shared[at]]));
}

async function told(): Promise<readonly string[]> {
  const rows = await place.ground.db.query<{ text: string }>(
    "SELECT to_status AS text FROM status_change WHERE kind = 'gslbChecker.state' ORDER BY id",
  );
  return rows.map(({ text }) => text);
}

test('checkers that connect at the same time share one epoch; one without a vantage point is refused alone', async () => {
  const all = [...connections('eu', 6), ...connections('us', 5)];
  const outcomes = await connectAll([...all, ...connections('nowhere', 1)]);
  expect(outcomes.slice(0, -1)).toEqual(all.map(() => 1));
  expect(outcomes.at(-1)).toContain('no vantage point nowhere');
  // The first is recorded alone, then the others together.
  expect(transactions).toBe(2);
  expect(await epochs()).toEqual({ eu: [3, 6], us: [2, 5] });
  expect(await told()).toEqual(['PRESENT', 'PRESENT']);
  // All reconnect at once, and share targets as before.
  expect(await connectAll(all)).toEqual(all.map(() => 2));
  expect(transactions).toBe(2);
  expect(await epochs()).toEqual({ eu: [3, 6], us: [2, 5] });
  // Some move to another vantage point.
  const moved = all.slice(0, 3).map((each) => ({ ...each, vantagePoint: 'us' }));
  expect(await connectAll([...connections('us', 1), ...moved])).toEqual([1, 3, 3, 3]);
  expect(await epochs()).toEqual({ eu: [4, 3], us: [4, 9] });
  expect((await told()).length).toBe(2);
});

test('a connection that can’t be recorded fails alone, and a machine that connects twice has two incarnations', async () => {
  const [first, second, third] = connections('eu', 3);
  if (first === undefined || second === undefined || third === undefined) throw new Error('no connections');
  const bad = { ...third, machine: { ...third.machine, name: 'longer than its column'.repeat(4) } };
  const outcomes = await connectAll([first, second, bad, second]);
  expect(outcomes.filter((each) => typeof each === 'number')).toEqual([1, 1, 2]);
  // The first alone, the rest together without success, then each of the two by itself, then the second one's newer
  // connection.
  expect(transactions).toBe(1 + 1 + 2 + 1);
  expect(await epochs()).toEqual({ eu: [3, 2], us: [1, 0] });
});

test('checkers that fall silent at the same time leave their targets to the others in one epoch', async () => {
  const { db, wake } = place.ground;
  await connectAll([...connections('eu', 5), ...connections('us', 2)]);
  const before = await epochs();
  const rows = await readCheckers(db);
  const [eu, us] = (await readVantagePoints(db)).map(({ id }) => rows.filter((row) => row.vantagePointId === id));
  const heard = { ...(eu?.[3] ?? rows[0]), heardAt: new Date(0) } as (typeof rows)[number];
  const silent = [...(eu?.slice(0, 3) ?? []), heard, ...(us ?? [])];
  const ended = await db.transaction((tx) => endSharing(tx, wake, silent));
  // One of them has sent a heartbeat since.
  expect(ended.length).toBe(5);
  expect(await epochs()).toEqual({ eu: [Number(before.eu?.[0]) + 1, 2], us: [Number(before.us?.[0]) + 1, 0] });
  expect(await told()).toEqual(['PRESENT', 'PRESENT', 'ABSENT']);
  expect(await db.transaction((tx) => endSharing(tx, wake, silent))).toEqual([]);
  expect((await told()).length).toBe(3);
});
