// A host without data publishes its clock in etcd, as a third clock in case those of two data hosts differ.

import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from './agent/clock.ts';
import type { EtcdClient } from './etcd.ts';

const everyMs = 500;

/** Resolves at the signal. */
export async function tellClock(
  etcd: EtcdClient,
  key: string,
  signal: AbortSignal,
  certificatesEndAt?: () => string,
): Promise<void> {
  while (!signal.aborted) {
    const value = {
      said: `${process.pid}-${monotonicMs()}`,
      wallMs: Date.now(),
      certificatesEndAt: certificatesEndAt?.(),
    };
    // Without etcd nobody can read it, and there is no leader.
    await etcd.put(key, JSON.stringify(value)).catch(() => undefined);
    await sleep(everyMs, undefined, { signal }).catch(() => undefined);
  }
}
