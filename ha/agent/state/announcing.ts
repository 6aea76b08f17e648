// Whether clients are directed to this host: while its writes are open, and never beyond its lease.

import type { Announcer } from '../../announcer.ts';
import type { View } from '../view.ts';

export class Announcing {
  readonly #announcer: Announcer | undefined;
  #isOpen = false;
  /** The primary's epoch. */
  #epoch = 0;

  constructor(announcer: Announcer | undefined) {
    this.#announcer = announcer;
  }

  saw({ server, reign, shared }: Pick<View, 'server' | 'reign' | 'shared'>): void {
    this.#isOpen = reign !== undefined && server.state === 'up' && server.duty === 'primary' && server.writable;
    // While etcd does not answer, the epoch stays unchanged.
    this.#epoch = shared?.sync?.epoch ?? this.#epoch;
    if (this.#isOpen && reign !== undefined) this.#announcer?.held(reign.fenceAtMs, this.#epoch);
    // An adopted server is "starting" until it has answered. An announcement by an earlier agent holds as long as the lease.
    else if (server.state !== 'starting') this.#announcer?.lost();
  }

  /** The lease lasts until then. */
  renewed(fenceAtMs: number): void {
    if (this.#isOpen) this.#announcer?.held(fenceAtMs, this.#epoch);
  }

  /** Call it before giving up the lead, because another host may have the lead from then on. */
  lost(): void {
    this.#isOpen = false;
    this.#announcer?.lost();
  }
}
