// How long statements take and how long they wait for a connection, for Prometheus and the slow log. Labels name the pool only: the
// number of different statements has no bound.
import type { Registry } from 'prom-client';
import { currentShare } from '../caller/caller.ts';
import { Durations, type Series } from '../log/durations.ts';
import type { SlowLog } from '../log/slow-log.ts';
import type { PoolName } from './server-pools.ts';

interface DatabaseTimesOptions {
  readonly registry: Registry;
  readonly slow?: SlowLog | undefined;
}

type OfPool = Readonly<Record<PoolName, Series>>;

const buckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const mostSqlLogged = 200;

export class DatabaseTimes {
  readonly #slow: SlowLog | undefined;
  readonly #roundTrips: OfPool;
  readonly #waits: OfPool;

  constructor({ registry, slow }: DatabaseTimesOptions) {
    this.#slow = slow;
    this.#roundTrips = byPool(
      registry,
      'tidegate_database_round_trip_seconds',
      'From sending a statement to the database until its answer, by pool of connections.',
    );
    this.#waits = byPool(
      registry,
      'tidegate_database_wait_seconds',
      'How long statements outside of transactions, and transactions, waited for a connection, by pool.',
    );
  }

  /** Runs work on a connection for which it has waited since `sinceMs`: one statement, or a transaction if `sql` is undefined. */
  async turn<Result>(
    pool: PoolName,
    { sinceMs, sql }: { readonly sinceMs: number; readonly sql: string | undefined },
    work: () => Promise<Result>,
  ): Promise<Result> {
    const startedMs = performance.now();
    this.#waits[pool].observe((startedMs - sinceMs) / 1000);
    try {
      return await work();
    } finally {
      if (sql === undefined) this.#transactionEnded(startedMs);
      else this.answered(pool, sql, startedMs);
    }
  }

  /** A statement was answered, or failed. */
  answered(pool: PoolName, sql: string, sentMs: number): void {
    const tookMs = performance.now() - sentMs;
    this.#roundTrips[pool].observe(tookMs / 1000);
    if (this.#slow?.isSlow(tookMs) === true)
      this.#slow.add('statement', tookMs, { ...requestOf(), pool, sql: sql.slice(0, mostSqlLogged) });
  }

  #transactionEnded(startedMs: number): void {
    const tookMs = performance.now() - startedMs;
    if (this.#slow?.isSlow(tookMs) === true) this.#slow.add('transaction', tookMs, requestOf());
  }
}

/** Empty outside of a request. A call of the relay has its id in each line of the log. */
function requestOf(): object {
  const { requestId } = currentShare();
  return requestId === undefined ? {} : { requestId };
}

function byPool(registry: Registry, name: string, help: string): OfPool {
  const durations = new Durations({ registry, name, help, label: 'pool', buckets });
  const of = (pool: PoolName) => durations.of(pool);
  return {
    ...{ reads: of('reads'), ownReads: of('ownReads') },
    ...{ writes: of('writes'), transactions: of('transactions') },
  };
}
