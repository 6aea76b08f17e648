// Several servers of a cluster share what one of them is enough for: collecting and reading blobs, ending uploads and seals. A lease in the cluster's
// database says whose a piece of work is; where its holder dies, who asks next takes it. It is no fence, and needs none: each of these is
// right, only dear, when two do it at once.
import type { Database } from '../../../platform/database/database.ts';
import { newUuid } from '../../../platform/ids.ts';
import { type HeldLease, Leases } from '../../../platform/leases.ts';
import type { Logger } from '../../../platform/log.ts';

export type SharedWork =
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

  /** Whether this process is to do it now: asked before each round. */
  async isMine(work: SharedWork): Promise<boolean> {
    if (this.#held.get(work)?.signal.aborted === false) return true;
    const lease = await this.#leases.acquire(leaseOf(work));
    if (lease !== undefined) this.#held.set(work, lease);
    return lease !== undefined;
  }

  /** After the last round: another server has it at once. */
  stop(): Promise<void> {
    return this.#leases.stop();
  }
}
