// In-memory leases, for a checker without a database: several engines in one process share the shards as workers do.

import { type HeldLease, LeaseLostError } from '../leases/leases.ts';
import { newToken } from '../values/ids.ts';
import type { CheckLeases } from './check-tenant.ts';

interface Held {
  readonly owner: string;
  readonly token: string;
  readonly controller: AbortController;
}

/** The state shared by several owners. */
export class MemoryLeaseTable {
  readonly #held = new Map<string, Held>();

  /** Returns a view of the leases as the given owner. */
  of(owner: string): CheckLeases {
    return {
      acquire: async (name) => this.#acquire(name, owner),
      live: async (prefix) =>
        [...this.#held]
          .filter(([name]) => name.startsWith(prefix))
          .map(([name, held]) => ({ name, owner: held.owner }))
          .sort((a, b) => (a.name < b.name ? -1 : 1)),
    };
  }

  /** The fence: throws LeaseLostError unless the token still holds the lease. */
  check(lease: Pick<HeldLease, 'name' | 'token'>): void {
    if (this.#held.get(lease.name)?.token !== lease.token) throw new LeaseLostError(lease.name);
  }

  #acquire(name: string, owner: string): HeldLease | undefined {
    if (this.#held.has(name)) return undefined;
    const held = { owner, token: newToken(), controller: new AbortController() };
    this.#held.set(name, held);
    const release = async () => {
      if (this.#held.get(name) !== held) return;
      this.#held.delete(name);
      held.controller.abort(new LeaseLostError(name));
    };
    return { name, token: held.token, signal: held.controller.signal, release };
  }
}
