// What the trial does with a pair of database hosts, whichever engine keeps them together.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Session } from '../../../ha/agent/session.ts';
import type { LoopDisk } from '../../../lab/loop-disk.ts';
import type { DataHost, HaNetwork, PlaceName } from './network.ts';

export const dataHosts: readonly DataHost[] = ['a', 'b'];

export type Part = 'mariadbd' | 'agent' | 'etcd' | 'keepalived';

export interface PairState {
  readonly primary: DataHost;
  readonly epoch: number;
  /** Both hosts have every acknowledged write. */
  readonly isWhole: boolean;
  /** What the hosts' agents said last, where there are agents: they live if it changes. */
  readonly said?: readonly string[];
}

export interface Pair {
  readonly network: HaNetwork;
  readonly settingsFile: string;
  /** What the engine is made of, on a data host. */
  readonly parts: ReadonlySet<Part>;
  state(): Promise<PairState | undefined>;
  /** A new session as root, over the host's own socket. */
  sql(host: DataHost): Session;
  pid(host: DataHost, what: Part): Promise<number | undefined>;
  /** Whether `copy` has applied what `primary` has now, within that time. */
  hasCaughtUp(copy: DataHost, primary: DataHost, withinMs: number): Promise<boolean>;
  /** Asks for it; undefined: the engine has none. */
  readonly switchover?: (to: DataHost) => Promise<void>;
  /** Of a host's transactions that nobody had acknowledged, those that are told; undefined: the engine tells none. */
  readonly savedOf?: (host: DataHost) => Promise<readonly string[]>;
  /** What a person does when it does not recover by itself; undefined: nothing is foreseen. */
  readonly recoverByHand?: () => Promise<void>;
  disk(host: DataHost): LoopDisk;
  /** All that runs there is killed, and starts again with `powerOn`. */
  powerOff(host: PlaceName): Promise<void>;
  powerOn(host: PlaceName): Promise<void>;
  /** The host's clock is ahead by so much; undefined: there is no libfaketime. */
  readonly skew?: ((host: DataHost, seconds: number) => Promise<void>) | undefined;
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
