// What a host without data tells in etcd: its clock. With it there is a third one when those of two data hosts differ.

import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from './agent/clock.ts';
import type { EtcdClient } from './etcd.ts';

const everyMs = 500;

/** Resolves at the signal. */
export async function tellClock(etcd: EtcdClient, key: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const value = { said: `${process.pid}-${monotonicMs()}`, wallMs: Date.now() };
    // Without an answer nobody hears it, and nobody leads.
    await etcd.put(key, JSON.stringify(value)).catch(() => undefined);
    await sleep(everyMs, undefined, { signal }).catch(() => undefined);
  }
}
