// What the trial does with a pair of database hosts, whichever engine keeps them together.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Session } from '../../../ha/agent/session.ts';
import type { DataHost, HaNetwork } from './network.ts';

export const dataHosts: readonly DataHost[] = ['a', 'b'];

/** `agent` and `etcd`: what an engine has in their place, if anything. */
export type Part = 'mariadbd' | 'agent' | 'etcd';

export interface PairState {
  readonly primary: DataHost;
  readonly epoch: number;
  /** Both hosts have every acknowledged write. */
  readonly isWhole: boolean;
}

export interface Pair {
  readonly network: HaNetwork;
  readonly settingsFile: string;
  state(): Promise<PairState | undefined>;
  /** A new session as root, over the host's own socket. */
  sql(host: DataHost): Session;
  pid(host: DataHost, what: Part): Promise<number | undefined>;
  /** Asks for it; undefined: the engine has none. */
  readonly switchover?: (to: DataHost) => Promise<void>;
  fillDisk(host: DataHost): Promise<void>;
  freeDisk(host: DataHost): Promise<void>;
  stop(): Promise<void>;
}

export async function until(
  what: string,
  timeoutMs: number,
  check: () => Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  const endsAtMs = performance.now() + timeoutMs;
  let failure: unknown;
  const isSo = () =>
    check().catch((error: unknown) => {
      failure = error;
      return false;
    });
  while (!(await isSo())) {
    signal.throwIfAborted();
    if (performance.now() > endsAtMs) throw new Error(`not within ${timeoutMs / 1000} s: ${what}`, { cause: failure });
    await sleep(100);
  }
}
