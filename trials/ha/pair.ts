// The trial's operations on a pair of database hosts, for any engine.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Session } from '../../ha/agent/session.ts';
import type { LoopDisk } from '../../lab/loop-disk.ts';
import type { DataHost, HaNetwork, PlaceName } from './network.ts';

export const dataHosts: readonly DataHost[] = ['a', 'b'];

export type Part = 'mariadbd' | 'agent' | 'etcd' | 'keepalived';

export interface PairState {
  readonly primary: DataHost;
  readonly epoch: number;
  /** Whether both hosts have every acknowledged write. */
  readonly isWhole: boolean;
  /** The last reports of the hosts' agents, if there are agents. An agent is alive if its report changes. */
  readonly said?: readonly string[];
}

export interface Pair {
  readonly network: HaNetwork;
  readonly settingsFile: string;
  /** Parts of the engine on a data host. */
  readonly parts: ReadonlySet<Part>;
  state(): Promise<PairState | undefined>;
  /** A new session as root, over the host's own socket. */
  sql(host: DataHost): Session;
  pid(host: DataHost, what: Part): Promise<number | undefined>;
  /** Whether `copy` applies everything from `primary` within that time. */
  hasCaughtUp(copy: DataHost, primary: DataHost, withinMs: number): Promise<boolean>;
  /** Requests a switchover. Undefined if the engine has none. */
  readonly switchover?: (to: DataHost) => Promise<void>;
  /** Unacknowledged transactions of a host that the engine reports. Undefined if it reports none. */
  readonly savedOf?: (host: DataHost) => Promise<readonly string[]>;
  /** Recovery by a person if the engine does not recover by itself. Undefined if there is none. */
  readonly recoverByHand?: () => Promise<void>;
  disk(host: DataHost): LoopDisk;
  /** Kills all processes there. `powerOn` starts it again. */
  powerOff(host: PlaceName): Promise<void>;
  powerOn(host: PlaceName): Promise<void>;
  /** Sets the host's clock ahead by this much. Undefined without libfaketime. */
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
