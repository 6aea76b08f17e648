// The heartbeat of this incarnation of the process: while the lease lives, no other process recovers its work.
import { setTimeout as sleep } from 'node:timers/promises';
import { isDiskFull } from '../errors/database-errors.ts';
import type { Logger } from '../log/log.ts';
import type { HeldLease, Leases } from './leases.ts';

export function processLeaseName(role: string, owner: string): string {
  return `${role}/process/${owner}`;
}

interface ProcessLeaseOptions {
  readonly leases: Leases;
  /** The process's task, for example `relay`. */
  readonly role: string;
  readonly owner: string;
  readonly log: Logger;
}

const retryMs = 500;

export class ProcessLease {
  readonly #options: ProcessLeaseOptions;
  readonly #stop = new AbortController();
  #held: HeldLease | undefined;
  #keeping: Promise<void> | undefined;

  constructor(options: ProcessLeaseOptions) {
    this.#options = options;
  }

  /** Taken before any work; taken again after each loss. Throws when the database is not available. */
  async start(): Promise<void> {
    const { leases, role, owner } = this.#options;
    const name = processLeaseName(role, owner);
    while (this.#held === undefined) {
      this.#stop.signal.throwIfAborted();
      this.#held = await leases.acquire(name);
      if (this.#held !== undefined) break;
      if ((await leases.holder(name))?.live === true)
        throw new Error(`lease ${name} is held: is the owner's id unique?`);
      // It had expired before the database answered: a start has minutes for that (start-budget.ts).
    }
    this.#keeping = this.#keep();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#keeping;
    await this.#held?.release();
  }

  async #keep(): Promise<void> {
    const { leases, role, owner, log } = this.#options;
    let isFailing = false;
    while (!this.#stop.signal.aborted) {
      const held = this.#held;
      if (held !== undefined) await either(held.signal, this.#stop.signal);
      if (this.#stop.signal.aborted) return;
      this.#held = undefined;
      try {
        this.#held = await leases.acquire(processLeaseName(role, owner));
        isFailing = false;
      } catch (error) {
        if (!isFailing && !isDiskFull(error))
          log.warn({ err: error }, "the process's own lease could not be taken: trying again");
        isFailing = true;
      }
      if (this.#held === undefined)
        await sleep(retryMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
  }
}

function either(one: AbortSignal, other: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      one.removeEventListener('abort', end);
      other.removeEventListener('abort', end);
      resolve();
    };
    one.addEventListener('abort', end);
    other.addEventListener('abort', end);
    if (one.aborted || other.aborted) end();
  });
}
