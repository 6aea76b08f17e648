// The lead that this host holds: a lease in etcd, renewed after each third of its duration, and the time at which the server is
// fenced. Stored in a file, for an agent that restarts within the lease.

import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import type { SetupLog } from '../../embedded/setup-log.ts';
import type { EtcdClient } from '../etcd.ts';
import { keptIn } from '../mark-file.ts';
import { monotonicMs } from './clock.ts';
import { fenceAfterMsFor } from './limits.ts';

interface Lead {
  readonly id: string;
  readonly lease: string;
  /** Its duration. */
  readonly leaseMs: number;
  readonly fenceAtMs: number;
}

export interface LeadOptions {
  readonly etcd: Pick<EtcdClient, 'grant' | 'keepAlive' | 'revoke'>;
  readonly log: SetupLog;
  readonly file: string;
  /** Whole seconds, because etcd counts in seconds. A lead may begin with a longer one. */
  readonly leaseMs: number;
  /** Whether the server is alive, so that the lease may be renewed. */
  readonly mayRenew: () => boolean;
  /** Called before the agent relies on the new end of the lead. `endsAtMs`: no other host takes the lead earlier. */
  readonly onFence: (fenceAtMs: number, endsAtMs: number) => Promise<void>;
  /** Interval for checking whether a renewal is due. Default: a sixth of the lease, and at most a second. */
  readonly looksEveryMs?: number;
  /** Time since the last renewal. Default: a quarter of the lease. */
  readonly renewAfterMs?: number;
  /** Measures a call to etcd. */
  readonly timed?: <T>(call: Promise<T>) => Promise<T>;
}

const kept = z.object({
  ...{ id: z.string(), lease: z.string(), fenceAtMs: z.number(), bootId: z.string() },
  /** An earlier version did not write it. */
  leaseMs: z.number().optional(),
});
/** Usable share of the lease. The rest allows for clocks that run at different speeds. */
const leaseShare = 0.9;
const mostLookMs = 1_000;
const plain = <T>(call: Promise<T>): Promise<T> => call;
const bootIdFile = '/proc/sys/kernel/random/boot_id';

export class LeadHolder {
  readonly #options: LeadOptions;
  readonly #bootId: string;
  #lead: Lead | undefined;
  #renewing: NodeJS.Timeout | undefined;
  #isRenewing = false;

  private constructor(options: LeadOptions, bootId: string, lead: Lead | undefined) {
    this.#options = options;
    this.#bootId = bootId;
    this.#lead = lead;
    this.#renewing = setInterval(
      () => this.renewIfDue(),
      options.looksEveryMs ?? Math.min(options.leaseMs / 6, mostLookMs),
    );
  }

  static async open(options: LeadOptions): Promise<LeadHolder> {
    const bootId = (await readFile(bootIdFile, 'utf8')).trim();
    const found = await keptIn(options.file, kept);
    const lead = found?.bootId === bootId ? { ...found, leaseMs: found.leaseMs ?? options.leaseMs } : undefined;
    const holder = new LeadHolder(options, bootId, lead);
    if (lead !== undefined) await holder.#tell(lead);
    return holder;
  }

  get current(): Lead | undefined {
    return this.#lead;
  }

  /** Requests a lease for a new lead. Its time counts from the moment before the request. */
  async prepare(leaseMs = this.#options.leaseMs): Promise<Lead> {
    const { etcd } = this.#options;
    const askedAtMs = monotonicMs();
    // etcd counts whole seconds. It is safe if etcd keeps the lease longer than its holder assumes.
    const { id: lease } = await etcd.grant(Math.ceil(leaseMs / 1_000));
    const lead = { id: randomUUID(), lease, leaseMs, fenceAtMs: askedAtMs + fenceAfterMsFor(leaseMs) };
    await this.#tell(lead);
    await this.#set(lead);
    return lead;
  }

  /** Call this only after its server was killed, or if its writes were never opened. */
  async giveUp(): Promise<void> {
    const lead = this.#lead;
    this.#lead = undefined;
    if (lead === undefined) return;
    try {
      await this.#options.etcd.revoke(lead.lease);
    } finally {
      // This comes last, because it may wait for a frozen disk.
      await rm(this.#options.file, { force: true });
    }
  }

  /** Without waiting for the next look, for an agent that restarts with little of its lease left. */
  renewIfDue(): void {
    void this.#renew();
  }

  close(): void {
    clearInterval(this.#renewing);
  }

  #tell({ fenceAtMs, leaseMs }: Pick<Lead, 'fenceAtMs' | 'leaseMs'>): Promise<void> {
    return this.#options.onFence(fenceAtMs, fenceAtMs - fenceAfterMsFor(leaseMs) + leaseMs * leaseShare);
  }

  async #renew(): Promise<void> {
    const lead = this.#lead;
    if (lead === undefined || this.#isRenewing || !this.#options.mayRenew()) return;
    const sentAtMs = monotonicMs();
    const { leaseMs } = lead;
    const renewedAtMs = lead.fenceAtMs - fenceAfterMsFor(leaseMs);
    const renewAfterMs = this.#options.renewAfterMs ?? leaseMs / 4;
    // Past the fence the server is killed, so a later answer must not extend the lead.
    if (sentAtMs - renewedAtMs < renewAfterMs || sentAtMs >= lead.fenceAtMs) return;
    this.#isRenewing = true;
    try {
      const isRenewed = await (this.#options.timed ?? plain)(this.#options.etcd.keepAlive(lead.lease));
      const isLate = monotonicMs() >= lead.fenceAtMs;
      if (!isRenewed || isLate)
        this.#options.log.warn(`the lease was not renewed: ${isRenewed ? 'the answer came too late' : 'it has ended'}`);
      if (!isRenewed || this.#lead?.id !== lead.id || isLate) return;
      const renewed = { ...lead, fenceAtMs: sentAtMs + fenceAfterMsFor(leaseMs) };
      await this.#tell(renewed);
      // The lead may have been given up in the meantime.
      if (this.#lead?.id === lead.id) await this.#set(renewed);
    } catch (error) {
      this.#options.log.warn(`the lease was not renewed: ${String(error)}`);
    } finally {
      this.#isRenewing = false;
    }
  }

  async #set(lead: Lead): Promise<void> {
    this.#lead = lead;
    await writeFile(`${this.#options.file}.new`, JSON.stringify({ ...lead, bootId: this.#bootId }), { mode: 0o600 });
    await rename(`${this.#options.file}.new`, this.#options.file);
  }
}
