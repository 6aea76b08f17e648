// A checker that fell silent is found by its conductor, also by one that stands still again and again.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { newUuid } from '../../../../platform/ids.ts';
import { CheckerKeeper } from '../../../../subgraphs/gslb/conductor/checker-keeper.ts';
import { ConnectDesk } from '../../../../subgraphs/gslb/conductor/connect-desk.ts';
import { readVantagePoints, sharersOf } from '../../../../subgraphs/gslb/conductor/vantage-store.ts';
import { GslbPlace } from '../support/gslb-place.ts';

/** More than a look may be late. */
const stillMs = 400;

test.each([
  ['one that goes on', 0],
  ['one that stands still before each look', stillMs],
])('a silent checker shares no more: %s', async (_what, blockMs) => {
  const place = await GslbPlace.open();
  const { db, wake, log, owner } = place.ground;
  await place.vantagePointWithout('eu');
  const machine = { id: newUuid(), name: 'eu-1' };
  await new ConnectDesk({ db, wake }).connect({ machine, vantagePoint: 'eu', facts: {}, linkedTo: owner });
  const keeper = new CheckerKeeper({ db, wake, log, silenceMs: 50, lookMs: 20 });
  keeper.start();
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
    await keeper.stop();
    await place.close();
  }
});
