// The backends that this process holds. A process with work for a free backend takes it, under a lease, and releases it when it
// has been idle.
import type { BackendSelector } from '../../../../generated/graph/relay.ts';
import { isUnavailable } from '../../../../platform/errors/database-errors.ts';
import { lacksSource } from '../../../../platform/net/source-address.ts';
import { decodeUuid } from '../../../../platform/values/ids.ts';
import type { BackendRow } from '../backends/backend.ts';
import { readBackend } from '../backends/backend-store.ts';
import { backendsWithPending } from '../journal/operation-store.ts';
import { BackendHolder } from './backend-holder.ts';
import type { HolderDependencies } from './holder-dependencies.ts';

/** Upper bound of a call's deadline. */
const longestCallMs = 620_000;
/** How long a backend held by another process is not tried again. */
const deniedMs = 300;
/** How long a backend that could not be taken for its waiting calls is not tried again. A new call tries at once. */
const failingMs = 5_000;

export function backendLease(backendId: string): string {
  return `relay/backend/${backendId}`;
}

export class BackendManager {
  readonly #dependencies: HolderDependencies;
  readonly #holders = new Map<string, BackendHolder>();
  readonly #opening = new Map<string, Promise<BackendHolder | undefined>>();
  readonly #deniedUntilMs = new Map<string, number>();
  /** By backend, the time from which it is tried again. */
  readonly #failing = new Map<string, number>();
  readonly #closing = new Map<BackendHolder, Promise<void>>();
  #draining = false;

  constructor(dependencies: HolderDependencies) {
    this.#dependencies = dependencies;
  }

  /** The holder, when this process is one. */
  get(backendId: string): BackendHolder | undefined {
    const holder = this.#holders.get(backendId);
    if (holder === undefined || holder.live) return holder;
    this.#letGo(holder);
    return undefined;
  }

  /**
   * The row of the only backend that matches a selector by id or name, if this process holds it and nothing prevents a call. It
   * may be outdated: the caller checks its version in the transaction that journals the call.
   */
  known(selector: BackendSelector, projects: 'all' | readonly string[]): BackendRow | undefined {
    const { id, name, ...others } = selector;
    const plain = (id != null || name != null) && Object.values(others).every((value) => value == null);
    if (!plain || projects === 'all' || projects.length !== 1) return undefined;
    const uuid = id == null ? undefined : decodeUuid('Backend', id);
    for (const { row, live } of this.#holders.values()) {
      const meant = (id == null || row.id === uuid) && (name == null || row.name === name);
      if (!meant || !live || row.projectId !== projects[0]) continue;
      return row.provisioningStatus === 'ENABLED' && row.circuitState === 'CLOSED' ? row : undefined;
    }
    return undefined;
  }

  /** The holder, with the row that was just read; undefined when another process holds the backend. */
  async hold(row: BackendRow): Promise<BackendHolder | undefined> {
    const held = this.get(row.id);
    if (this.#lacksSource(row)) {
      if (held !== undefined) this.#letGo(held);
      return undefined;
    }
    const holder = held ?? (await this.#take(row));
    await holder?.refresh(row);
    return holder;
  }

  /**
   * Takes backends with waiting calls that nobody holds; releases idle ones; the others check their queues. `callsAct`: whether any
   * call may wait.
   */
  async tick({ callsAct }: { readonly callsAct: boolean }): Promise<void> {
    if (this.#draining) return;
    for (const holder of [...this.#holders.values()]) {
      if (!holder.live || holder.idleMs > this.#dependencies.settings.holderIdleMs || this.#lacksSource(holder.row))
        this.#letGo(holder);
      else if (holder.queue.waiting) void holder.readAgain();
    }
    for (const id of callsAct ? await backendsWithPending(this.#dependencies.db) : []) {
      const holder = this.get(id);
      if (holder !== undefined) holder.queue.poke();
      else if (!this.#failing.has(id)) await this.#takeWaiting(id);
    }
    const nowMs = performance.now();
    for (const [id, untilMs] of this.#deniedUntilMs) if (untilMs < nowMs) this.#deniedUntilMs.delete(id);
    for (const [id, untilMs] of this.#failing) if (untilMs < nowMs) this.#failing.delete(id);
  }

  /** A backend that can't be taken, for example because its credentials can't be opened, holds up no other. */
  async #takeWaiting(id: string): Promise<void> {
    const { db, log } = this.#dependencies;
    try {
      const row = await readBackend(db, id);
      if (row !== undefined && !this.#lacksSource(row)) await this.#take(row);
    } catch (error) {
      if (isUnavailable(error)) throw error;
      log.warn({ err: error, backendId: id }, 'a backend with waiting calls could not be taken');
      this.#failing.set(id, performance.now() + failingMs);
    }
  }

  figures(): { readonly held: number; readonly sessions: number } {
    let sessions = 0;
    for (const holder of this.#holders.values()) sessions += holder.sessions;
    return { held: this.#holders.size, sessions };
  }

  /** Accepts nothing more; calls on the wire run to their end, at most `drainMs`. */
  async drain(drainMs: number): Promise<void> {
    this.#draining = true;
    await Promise.allSettled([...this.#opening.values()]);
    for (const holder of [...this.#holders.values()]) this.#letGo(holder);
    // Holders released earlier may still wait for calls with long deadlines.
    await Promise.allSettled([...this.#closing.keys()].map((holder) => holder.close(drainMs)));
    await Promise.allSettled([...this.#closing.values()]);
  }

  /** The host that has the address holds it: its calls wait for that one. */
  #lacksSource({ host }: BackendRow): boolean {
    return lacksSource(this.#dependencies.settings.sourceAddress, host);
  }

  async #take(row: BackendRow): Promise<BackendHolder | undefined> {
    const under = this.#opening.get(row.id);
    if (under !== undefined) return under;
    if (this.#draining || (this.#deniedUntilMs.get(row.id) ?? 0) > performance.now()) return undefined;
    const opening = this.#open(row).finally(() => this.#opening.delete(row.id));
    this.#opening.set(row.id, opening);
    return opening;
  }

  async #open(row: BackendRow): Promise<BackendHolder | undefined> {
    const lease = await this.#dependencies.leases.acquire(backendLease(row.id));
    if (lease === undefined) {
      this.#deniedUntilMs.set(row.id, performance.now() + deniedMs);
      return undefined;
    }
    try {
      const holder = await BackendHolder.open(this.#dependencies, lease, row);
      this.#holders.set(row.id, holder);
      lease.signal.addEventListener('abort', () => this.#letGo(holder), { once: true });
      return holder;
    } catch (error) {
      await lease.release();
      throw error;
    }
  }

  /** Calls on the wire run to their own deadlines; the lease is released when nothing is on the wire any more. */
  #letGo(holder: BackendHolder): void {
    if (this.#holders.get(holder.id) !== holder) return;
    this.#holders.delete(holder.id);
    const closed = holder
      .close(longestCallMs)
      .catch((error: unknown) => {
        this.#dependencies.log.warn({ err: error, backendId: holder.id }, 'a backend was not let go cleanly');
      })
      .finally(() => this.#closing.delete(holder));
    this.#closing.set(holder, closed);
  }
}
