// Sequence numbers: dense, immutable, in an order that never leaves out a late commit.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createConnection } from 'mariadb';
import { pino } from 'pino';
import { Database } from '../../../platform/database/database.ts';
import { isLockWaitTimeout } from '../../../platform/database/errors.ts';
import { appendStatus } from '../../../platform/events/append.ts';
import type { EventKinds, StatusEvent } from '../../../platform/events/kinds.ts';
import { Sequencer } from '../../../platform/events/sequencer.ts';
import { newUuid } from '../../../platform/ids.ts';
import { Leases } from '../../../platform/leases.ts';
import { withRequestId } from '../../../platform/log.ts';
import { createLocalWake } from '../../../platform/wake.ts';
import { type TestDatabase, testDatabase } from '../../support/database.ts';
import { waitFor } from '../../support/temporary-folder.ts';

const log = pino({ level: 'silent' });
const wake = createLocalWake();
let place: TestDatabase;
let db: Database;

beforeAll(async () => {
  place = await testDatabase();
  db = new Database({ connection: place.connection });
});

afterAll(async () => {
  await db.close();
  await place.drop();
});

const kinds: EventKinds = { k: { subject: 'T', values: [], meaning: '' } };

function event(to: string): StatusEvent {
  return { projectId: null, kind: 'k', subjectId: newUuid(), subjectVersion: 1, from: null, to };
}

function append(...names: string[]): Promise<void> {
  return db.transaction((tx) => appendStatus(tx, kinds, names.map(event), wake));
}

async function sequence(): Promise<string[]> {
  const rows = await db.query<{ seq: number; name: string }>(
    'SELECT seq, to_status AS name FROM status_change WHERE seq IS NOT NULL ORDER BY seq',
  );
  expect(rows.map((row) => row.seq)).toEqual(rows.map((_, index) => index + 1));
  return rows.map((row) => row.name);
}

test('an event that is committed late gets a later number, whatever its id; nothing waits for it', async () => {
  const sequencer = new Sequencer({ db, wake, log });
  const written = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const late = db.transaction(async (tx) => {
    await appendStatus(tx, kinds, [event('late')], wake);
    written.resolve();
    await release.promise;
  });
  await written.promise;
  await append('early-1', 'early-2');
  expect(await sequencer.runOnce()).toBe(2);
  expect(await sequence()).toEqual(['early-1', 'early-2']);
  release.resolve();
  await late;
  expect(await sequencer.runOnce()).toBe(1);
  expect(await sequence()).toEqual(['early-1', 'early-2', 'late']);
  expect(await sequencer.runOnce()).toBe(0);
});

test('one far behind the newest id is found by the full scan', async () => {
  const sequencer = new Sequencer({ db, wake, log });
  await append('straggler');
  // As after ten thousand and more other events.
  await db.execute("UPDATE status_change SET id = id + 50000 WHERE to_status = 'late'");
  await waitFor('the straggler', async () => {
    await sequencer.runOnce();
    return (await sequence()).at(-1) === 'straggler';
  });
});

test('several sequencers at once: still dense, each event once', async () => {
  const before = (await sequence()).length;
  const others = [new Database({ connection: place.connection }), new Database({ connection: place.connection })];
  const sequencers = [db, ...others].map((each) => new Sequencer({ db: each, wake: createLocalWake(), log }));
  for (const sequencer of sequencers) sequencer.start();
  await Promise.all(Array.from({ length: 200 }, (_, index) => append(`m${index}a`, `m${index}b`)));
  await waitFor('all to be sequenced', async () => (await sequence()).length === before + 400);
  await Promise.all(sequencers.map((sequencer) => sequencer.stop()));
  await Promise.all(others.map((each) => each.close()));
  expect(new Set(await sequence()).size).toBe(before + 400);
});

test('a fence that is held does not hold the sequencer for ever', async () => {
  const holder = await createConnection({ ...place.rootConnection });
  try {
    await holder.query('START TRANSACTION');
    await holder.query('SELECT 1 FROM status_sequencer FOR UPDATE');
    const error = await new Sequencer({ db, wake, log }).runOnce().catch((reason: unknown) => reason);
    expect(isLockWaitTimeout(error)).toBe(true);
  } finally {
    await holder.end();
  }
  // The connection went back to the pool without a transaction of its own left open.
  await append('after');
  expect(await new Sequencer({ db, wake, log }).runOnce()).toBe(1);
});

test('the lease elects one, and another is elected when it stops', async () => {
  const all = [1, 2].map(() => {
    const leases = new Leases({ db, owner: newUuid(), log });
    return { leases, sequencer: new Sequencer({ db, wake, log, leases }) };
  });
  for (const { sequencer } of all) sequencer.start();
  const elected = () => all.filter(({ sequencer }) => sequencer.figures().elected);
  const [first] = await waitFor('one to be elected', () => elected().length === 1 && elected());
  await first?.sequencer.stop();
  await waitFor('the other', () => elected().some((each) => each !== first));
  for (const { sequencer, leases } of all) {
    await sequencer.stop();
    await leases.stop();
  }
});

describe('appendStatus', () => {
  test('wakes after the commit only, and takes the request under way', async () => {
    let woken = 0;
    const off = wake.on('status', () => {
      woken += 1;
    });
    await withRequestId('request-9', () =>
      db.transaction(async (tx) => {
        await appendStatus(tx, kinds, [{ ...event('r'), reason: 'x'.repeat(3000) }], wake);
        expect(woken).toBe(0);
      }),
    );
    off();
    expect(woken).toBe(1);
    const [row] = await db.query<{ reason: string }>(
      "SELECT reason, request_id FROM status_change WHERE to_status = 'r'",
    );
    expect(row).toMatchObject({ request_id: 'request-9', reason: 'x'.repeat(1024) });
  });

  test('writes nothing for no events', async () => {
    await db.transaction((tx) => appendStatus(tx, kinds, [], wake));
  });
});
