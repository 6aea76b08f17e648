// A feature without rows sends no statement until something happens, and polls as usual while wake-ups may be missed. The database is
// a stand-in that counts statements: it has no rows, and no time passes.
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { pino } from 'pino';
import type { Database } from '../../platform/database/database.ts';
import type { Leases } from '../../platform/leases/leases.ts';
import { CheckerWatcher } from '../../subgraphs/gslb/control/checkers/checker-watcher.ts';
import { NameServerWatcher } from '../../subgraphs/gslb/control/nameservers/name-server-watcher.ts';
import {
  BalancerFollower,
  type BalancerFollowerOptions,
} from '../../subgraphs/gslb/control/verdicts/balancer-follower.ts';
import { HostWatcher } from '../../subgraphs/loadbalancer/control/hosts/host-watcher.ts';
import { ClusterLinks } from '../../subgraphs/object-storage/control/controllers/cluster-links.ts';
import { HandWake } from '../support/product/hand-wake.ts';

interface Place {
  readonly db: Database;
  readonly wake: HandWake;
  readonly log: pino.Logger;
}

interface Feature {
  start(): unknown;
  stop(): Promise<void>;
}

/** `lookMs`: its interval while it has rows. */
const features: readonly { readonly name: string; readonly lookMs: number; make(place: Place): Feature }[] = [
  { name: 'GSLB checkers', lookMs: 250, make: (place) => new CheckerWatcher({ ...place, silenceMs: 3_000 }) },
  { name: 'name servers', lookMs: 500, make: (place) => new NameServerWatcher(place) },
  { name: 'hosts of load balancers', lookMs: 1_000, make: (place) => new HostWatcher(place) },
  { name: 'clusters of object storage', lookMs: 500, make: (place) => new ClusterLinks({ ...place, owner: 'test' }) },
  {
    ...{ name: 'members that are load balancers', lookMs: 500 },
    make: (place) => new BalancerFollower({ ...place, leases: {} as Leases } as unknown as BalancerFollowerOptions),
  },
];

const log = pino({ level: 'silent' });
let statements: number;
let wake: HandWake;

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['performance'] });
  statements = 0;
  wake = new HandWake();
});

afterEach(() => void jest.useRealTimers());

function emptyDatabase(): Database {
  const counted = async () => {
    statements += 1;
    return [];
  };
  return { query: counted, execute: counted } as Pick<Database, 'query'> as Database;
}

test.each(features)('$name', async ({ lookMs, make }) => {
  const feature = make({ db: emptyDatabase(), wake, log });
  await feature.start();
  await jest.advanceTimersByTimeAsync(0);
  const ofOneLook = statements;
  expect(ofOneLook).toBeGreaterThan(0);

  await jest.advanceTimersByTimeAsync(4 * lookMs);
  expect(statements).toBe(ofOneLook);

  wake.notify('status');
  await jest.advanceTimersByTimeAsync(0);
  const ofTwoLooks = statements;
  expect(ofTwoLooks).toBeGreaterThan(ofOneLook);

  wake.lose();
  await jest.advanceTimersByTimeAsync(0);
  const afterLoss = statements;
  expect(afterLoss).toBeGreaterThan(ofTwoLooks);
  await jest.advanceTimersByTimeAsync(3 * lookMs);
  expect(statements - afterLoss).toBeGreaterThanOrEqual(3 * (afterLoss - ofTwoLooks));
  await feature.stop();
});
