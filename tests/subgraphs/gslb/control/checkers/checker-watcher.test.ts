// The conductor finds a checker that fell silent, even if the conductor itself pauses again and again.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { newUuid } from '../../../../../platform/values/ids.ts';
import { CheckerWatcher } from '../../../../../subgraphs/gslb/control/checkers/checker-watcher.ts';
import { ConnectInbox } from '../../../../../subgraphs/gslb/control/checkers/connect-inbox.ts';
import { endSharing, readSharers } from '../../../../../subgraphs/gslb/control/stores/checker-store.ts';
import { readVantagePoints, sharersOf } from '../../../../../subgraphs/gslb/control/stores/vantage-store.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { GslbPlace } from '../../support/gslb-place.ts';

/** Longer than a poll may be late. */
const stillMs = 400;

test.each([
  ['one that goes on', 0],
  ['one that stands still before each look', stillMs],
])('a silent checker no longer shares targets: %s', async (_what, blockMs) => {
  const place = await GslbPlace.open();
  const { db, wake, log, owner } = place.ground;
  await place.vantagePointWithout('eu');
  const machine = { id: newUuid(), name: 'eu-1' };
  await place.record(machine.id, 'eu');
  await new ConnectInbox({ db, wake }).connect({ machine, vantagePoint: 'eu', facts: {}, linkedTo: owner });
  const watcher = new CheckerWatcher({ db, wake, log, silenceMs: 50, lookMs: 20, backMs: 0 });
  watcher.start();
  try {
    const [eu] = await readVantagePoints(db);
    if (eu === undefined) throw new Error('no vantage point');
    for (let left = 30; (await sharersOf(db, (await readVantagePoints(db))[0] ?? eu)).length > 0; left -= 1) {
      if (left === 0) throw new Error('it shares still');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, blockMs);
      await sleep(30);
    }
    expect((await readVantagePoints(db))[0]?.epoch).toBeGreaterThan(eu.epoch);
  } finally {
    await watcher.stop();
    await place.close();
  }
});

test('a checker may still be on its way back when the conductor has just started', async () => {
  const place = await GslbPlace.open();
  const { db, wake, log } = place.ground;
  await place.vantagePoint('eu');
  let looks = 0;
  const peers = {
    get revoked() {
      looks += 1;
      return new Set<string>();
    },
  };
  const watcher = new CheckerWatcher({ db, wake, log, silenceMs: 50, lookMs: 20, peers, backMs: 3_600_000 });
  watcher.start();
  try {
    await waitFor('many looks', () => looks > 20);
    expect(await readSharers(db)).toHaveLength(1);
  } finally {
    await watcher.stop();
    await place.close();
  }
});

test('a checker whose batch takes longer to record than the silence limit counts as present when the recording ends', async () => {
  const place = await GslbPlace.open();
  const { db, wake, log } = place.ground;
  const eu = await place.vantagePoint('eu');
  let looks = 0;
  const peers = {
    get revoked() {
      looks += 1;
      return new Set<string>();
    },
  };
  const [silenceMs, lookMs, mostAtOnceMs] = [3_000, 20, 270];
  const watcher = new CheckerWatcher({ db, wake, log, silenceMs, lookMs, peers });
  watcher.start();
  try {
    const shares = async () => (await readSharers(db)).length === 1;
    // Like a recording: the row is locked, and holds the time when the transaction began.
    await db.transaction(async (tx) => {
      await tx.execute('UPDATE gslb_checker SET heard_at = NOW(3) WHERE id = ?', [eu.id]);
      const fromMs = performance.now();
      const from = looks;
      await waitFor('it to seem silent', () => performance.now() - fromMs > silenceMs + 500 && looks - from > 20);
    });
    const recorded = looks;
    expect(await shares()).toBe(true);
    await waitFor('it to be silent', async () => !(await shares()));
    // As many polls as fit into the silence limit.
    expect(looks - recorded).toBeGreaterThanOrEqual(silenceMs / mostAtOnceMs - 1);
  } finally {
    await watcher.stop();
    await place.close();
  }
});

test('a checker that is being recorded is not silent, and the poll does not wait for it', async () => {
  const place = await GslbPlace.open();
  const { db, wake } = place.ground;
  const eu = await place.vantagePoint('eu');
  const seen = await readSharers(db);
  expect(seen).toMatchObject([{ id: eu.id, linked: true }]);
  await db.transaction(async (recording) => {
    await recording.query('SELECT id FROM gslb_checker WHERE id = ? FOR UPDATE', [eu.id]);
    expect(await db.transaction((tx) => endSharing(tx, wake, seen))).toEqual([]);
  });
  expect(await readSharers(db)).toHaveLength(1);
  expect(await db.transaction((tx) => endSharing(tx, wake, seen))).toHaveLength(1);
  expect(await readSharers(db)).toEqual([]);
  await place.close();
});
