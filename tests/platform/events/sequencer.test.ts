// Sequence numbers are dense and immutable, and their order never leaves out a late commit.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createConnection } from 'mariadb';
import { pino } from 'pino';
import type { Database } from '../../../platform/database/database.ts';
import { isLockWaitTimeout } from '../../../platform/errors/database-errors.ts';
import { appendStatus } from '../../../platform/events/append.ts';
import type { EventKinds, StatusEvent } from '../../../platform/events/kinds.ts';
import { gatherTimeMs, Sequencer } from '../../../platform/events/sequencer.ts';
import { withRequestId } from '../../../platform/log/log.ts';
import { newUuid } from '../../../platform/values/ids.ts';
import { forFile } from '../../support/jest/shared.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';
import { HandWake } from '../../support/product/hand-wake.ts';
import { LocalContext, TestContext } from '../../support/product/test-context.ts';

const ground = forFile(() => TestContext.open());
let db: Database;

beforeAll(async () => {
  ({ db } = ground);
});

const kinds: EventKinds = { k: { subject: 'T', values: [], meaning: '' } };

function event(to: string): StatusEvent {
  return { projectId: null, kind: 'k', subjectId: newUuid(), subjectVersion: 1, from: null, to };
}

function append(...names: string[]): Promise<void> {
  return ground.append(...names.map((to) => ({ to })));
}

/** Another process on the same database. */
const another = (elected = false) => new LocalContext({ connection: ground.place.connection }, { elected });

async function sequence(): Promise<string[]> {
  const rows = await db.query<{ seq: number; name: string }>(
    'SELECT seq, to_status AS name FROM status_change WHERE seq IS NOT NULL ORDER BY seq',
  );
  expect(rows.map((row) => row.seq)).toEqual(rows.map((_, index) => index + 1));
  return rows.map((row) => row.name);
}

test('an event that commits late gets a later number, whatever its id, and nothing waits for it', async () => {
  const { sequencer } = ground;
  const written = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const late = db.transaction(async (tx) => {
    await appendStatus(tx, kinds, [event('late')], ground.wake);
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

test('an event far behind the newest id is found by the full scan', async () => {
  const { sequencer } = ground;
  await append('straggler');
  // As after more than ten thousand other events.
  await db.execute("UPDATE status_change SET id = id + 50000 WHERE to_status = 'late'");
  await waitFor('the straggler', async () => {
    await sequencer.runOnce();
    return (await sequence()).at(-1) === 'straggler';
  });
});

test('several concurrent sequencers: numbers are still dense, and each event has one', async () => {
  const before = (await sequence()).length;
  const all = [another(), another(), another()];
  for (const { sequencer } of all) sequencer.start();
  await Promise.all(Array.from({ length: 200 }, (_, index) => append(`m${index}a`, `m${index}b`)));
  await waitFor('all to be sequenced', async () => (await sequence()).length === before + 400);
  await Promise.all(all.map((each) => each.stop()));
  expect(new Set(await sequence()).size).toBe(before + 400);
});

test('a held fence does not block the sequencer without limit', async () => {
  const holder = await createConnection({ ...ground.place.rootConnection });
  try {
    await holder.query('START TRANSACTION');
    await holder.query('SELECT 1 FROM status_sequencer FOR UPDATE');
    const error = await ground.sequencer.runOnce().catch((reason: unknown) => reason);
    expect(isLockWaitTimeout(error)).toBe(true);
  } finally {
    await holder.end();
  }
  // The connection returned to the pool without an open transaction.
  await append('after');
  expect(await ground.sequencer.runOnce()).toBe(1);
});

test('on a busy machine runs are further apart, but never so far that another process takes over', () => {
  expect(gatherTimeMs(0)).toBe(4);
  expect(gatherTimeMs(1)).toBe(4);
  expect(gatherTimeMs(5)).toBe(15);
  expect(gatherTimeMs(1_000)).toBe(25);
});

test('the lease elects one sequencer, and another is elected when it stops', async () => {
  const all = [another(true), another(true)];
  for (const { sequencer } of all) sequencer.start();
  const elected = () => all.filter(({ sequencer }) => sequencer.figures().elected);
  const [first] = await waitFor('one to be elected', () => elected().length === 1 && elected());
  await first?.sequencer.stop();
  await waitFor('the other', () => elected().some((each) => each !== first));
  await Promise.all(all.map((each) => each.stop()));
});

describe('how often it runs', () => {
  const pollMs = 100;
  const calls = { reads: 0, locks: 0 };
  const wake = new HandWake();
  /** Its reads find nothing, as if only the wake-up knew of the event. */
  const counted = {
    query: async () => {
      calls.reads += 1;
      return [];
    },
    write: async () => {
      calls.locks += 1;
      return [[{ sequenced: 1 }], {}];
    },
  } as unknown as Database;
  const sequencer = new Sequencer({ db: counted, wake, log: pino({ level: 'silent' }) });

  beforeAll(async () => {
    jest.useFakeTimers();
    sequencer.start();
    await jest.advanceTimersByTimeAsync(0);
  });

  afterAll(async () => {
    await sequencer.stop();
    jest.useRealTimers();
  });

  test('while nothing happens, it reads once a second and never locks', async () => {
    await jest.advanceTimersByTimeAsync(5_000);
    expect(calls).toEqual({ reads: 6, locks: 0 });
  });

  test('a wake-up runs the statement at once', async () => {
    wake.notify('status');
    await jest.advanceTimersByTimeAsync(gatherTimeMs(0));
    expect(calls).toEqual({ reads: 6, locks: 1 });
  });

  test('while wake-ups may be missed, it reads ten times a second', async () => {
    wake.lose();
    await jest.advanceTimersByTimeAsync(pollMs);
    const before = calls.reads;
    await jest.advanceTimersByTimeAsync(10 * pollMs);
    expect(calls.reads).toBe(before + 10);
  });
});

describe('appendStatus', () => {
  test('wakes only after the commit, with the current request', async () => {
    let woken = 0;
    const off = ground.wake.on('status', () => {
      woken += 1;
    });
    await withRequestId('request-9', () =>
      db.transaction(async (tx) => {
        await appendStatus(tx, kinds, [{ ...event('r'), reason: 'x'.repeat(3000) }], ground.wake);
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

  test('writes nothing for an empty list', async () => {
    const count = () => db.query('SELECT COUNT(*) AS n FROM status_change');
    const before = await count();
    await db.transaction((tx) => appendStatus(tx, kinds, [], ground.wake));
    expect(await count()).toEqual(before);
  });
});
