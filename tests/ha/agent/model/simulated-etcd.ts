// etcd as the agents see it: keys with revisions, leases, and transactions with comparisons.

interface Entry {
  readonly value: unknown;
  readonly revision: number;
  readonly lease?: string;
}

export type Entries = ReadonlyMap<string, Entry>;

export class SimulatedEtcd {
  readonly #entries = new Map<string, Entry>();
  /** The end of each lease. */
  readonly #leases = new Map<string, number>();
  #revision = 1;

  value(key: string): unknown {
    return this.#entries.get(key)?.value;
  }

  revision(key: string): number {
    return this.#entries.get(key)?.revision ?? 0;
  }

  read(): Entries {
    return new Map(this.#entries);
  }

  put(key: string, value: unknown, lease?: string): void {
    this.#revision += 1;
    this.#entries.set(key, { value, revision: this.#revision, ...(lease === undefined ? {} : { lease }) });
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  transact(conditions: Readonly<Record<string, number>>, changes: () => void): { revision: number } | false {
    if (Object.entries(conditions).some(([key, revision]) => this.revision(key) !== revision)) return false;
    changes();
    return { revision: this.#revision };
  }

  /** Returns false if the lease has ended. */
  renew(lease: string, endsAtMs: number): boolean {
    if (!this.#leases.has(lease)) return false;
    this.#leases.set(lease, endsAtMs);
    return true;
  }

  grant(lease: string, endsAtMs: number): void {
    this.#leases.set(lease, endsAtMs);
  }

  /** A newly elected leader renews every lease to its full length. */
  elects(endsAtMs: number): void {
    for (const lease of this.#leases.keys()) this.#leases.set(lease, endsAtMs);
  }

  revoke(lease: string): void {
    this.#leases.delete(lease);
    for (const [key, entry] of this.#entries) if (entry.lease === lease) this.#entries.delete(key);
  }

  /** etcd may end leases late. */
  endLeases(nowMs: number, isInTime: () => boolean): void {
    for (const [lease, endsAtMs] of this.#leases) if (nowMs >= endsAtMs && isInTime()) this.revoke(lease);
  }
}
