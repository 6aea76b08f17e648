// Whether the lease may be renewed. The lease's timer asks between two turns of the agent's loop.

import type { HaServer } from '../server.ts';
import type { ServerView, View } from '../view.ts';

interface RenewalGuardOptions {
  readonly server: Pick<HaServer, 'duty' | 'aliveAtMs'>;
  /** A server is dead after this long without a heartbeat commit. */
  readonly heartbeatMs: number;
  readonly nowMs: () => number;
}

export class RenewalGuard {
  readonly #options: RenewalGuardOptions;
  #isStarting = false;
  #hasMembers = true;

  constructor(options: RenewalGuardOptions) {
    this.#options = options;
  }

  /** `shared`: undefined if etcd did not answer. Members then count as unchanged. */
  saw(server: Pick<ServerView, 'state'>, shared: Pick<NonNullable<View['shared']>, 'sync'> | undefined): void {
    this.#isStarting = server.state === 'starting';
    if (shared !== undefined) this.#hasMembers = (shared.sync?.members.length ?? 0) > 0;
  }

  /** If the server is dead, the host gives up the lead if a member can take it. */
  get mayRenew(): boolean {
    const { server, heartbeatMs, nowMs } = this.#options;
    if (this.#isStarting || !this.#hasMembers || server.duty !== 'primary') return true;
    return nowMs() - server.aliveAtMs < heartbeatMs;
  }
}
