// Divides work that one server of a cluster does for all: collecting and reading blobs, ending uploads and seals. A lease in the cluster's
// database assigns each piece of work; if its holder dies, the next server that asks gets it. The lease is not a fence and need not be one:
// when two servers do the same work it is still correct, only slower.
import type { Database } from '../../../../platform/database/database.ts';
import { type HeldLease, Leases } from '../../../../platform/leases/leases.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import { newUuid } from '../../../../platform/values/ids.ts';

type SharedWork =
  | 'collect blobs'
  | 'look for missing blobs'
  | 'read all blobs'
  | 'end uploads'
  | 'settle seals'
  | 'end rings';

const leaseOf = (work: SharedWork): string => `object-store ${work}`;

export class WorkShare {
  readonly #leases: Leases;
  readonly #held = new Map<SharedWork, HeldLease>();

  constructor({ db, log }: { readonly db: Database; readonly log: Logger }) {
    this.#leases = new Leases({ db, owner: newUuid(), log });
  }

  /** Whether this process should do it now. Ask before each round. */
  async isMine(work: SharedWork): Promise<boolean> {
    if (this.#held.get(work)?.signal.aborted === false) return true;
    const lease = await this.#leases.acquire(leaseOf(work));
    if (lease !== undefined) this.#held.set(work, lease);
    return lease !== undefined;
  }

  /** Call it after the last round: another server can take over at once. */
  stop(): Promise<void> {
    return this.#leases.stop();
  }
}
