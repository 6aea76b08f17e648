// The sessions to one endpoint when each carries one call at a time (a command line, OVSDB): opened one after the other as calls
// need them, kept while they work, closed when idle. If a device allows fewer sessions than the backend's concurrency, calls
// wait; none fails for it.

import { setTimeout as sleep } from 'node:timers/promises';
import type { ReserveFailure, SendOptions } from '../../../platform/net/send.ts';
import { failed } from '../../../platform/net/send.ts';
import { WaitQueue } from '../../../platform/net/wait-queue.ts';
import type { WireCall } from '../drivers/driver.ts';
import { growsAgainAtMs } from './growth.ts';
import type { Reservation, SendResult, Slot, Transport } from './session.ts';

/** Between two tries when a device allows no session at all: it may not have noticed yet that an old one has ended. */
const refusedAgainAfterMs = 500;

export interface PooledSession {
  /** It can't carry a call any more. */
  readonly lost: boolean;
  /** Resolves when it is completely closed. */
  readonly closed: Promise<void>;
  /** Never rejects. `stale`: it was lost before anything was sent. */
  run(call: WireCall, options: SendOptions): Promise<SendResult | 'stale'>;
  /** Prepares the session for the next call. Returns false if that is not possible. Never rejects. */
  recover(): Promise<boolean>;
  /** Ends it with the protocol's goodbye, so that the device can free it at once. */
  end(): void;
  /** Resets the connection. */
  destroy(): void;
}

export type OpenedSession =
  | { readonly ok: true; readonly session: PooledSession }
  | { readonly ok: false; readonly failure: ReserveFailure };

interface SessionPoolOptions {
  /** `lost` is called once, when the session is lost. Never rejects. */
  readonly open: (lost: () => void, signal: AbortSignal) => Promise<OpenedSession>;
  readonly where: string;
  readonly concurrency: number;
  /** How long a call waits while the device refuses every session. */
  readonly connectTimeoutMs: number;
  readonly idleCloseMs: number;
}

/** Connects only when a slot is requested. */
export class SessionPool implements Transport {
  readonly #options: SessionPoolOptions;
  readonly #sessions = new Set<PooledSession>();
  readonly #idle = new Set<PooledSession>();
  /** A `replaceable` waiter may get another session when its own is lost before the first byte. */
  readonly #waiters = new WaitQueue<Reservation, { readonly replaceable: boolean }>();
  readonly #closing = new AbortController();
  #opening: Promise<void> | undefined;
  #growAfterMs = 0;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(options: SessionPoolOptions) {
    this.#options = options;
  }

  tryReserve(): Slot | undefined {
    if (this.#waiters.length > 0) return undefined;
    const session = this.#takeIdle();
    return session && this.#slotOn(session, true);
  }

  reserve(options: { readonly signal?: AbortSignal } = {}): Promise<Reservation> {
    return this.#wait(options.signal, true);
  }

  async send(call: WireCall, options: SendOptions): Promise<SendResult> {
    const reservation = await this.reserve(options.signal ? { signal: options.signal } : {});
    return reservation.ok ? reservation.slot.send(call, options) : reservation;
  }

  state() {
    return { sessions: this.#sessions.size, channels: this.#sessions.size - this.#idle.size };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#idleTimer);
    this.#waiters.close();
    const gone = [...this.#sessions].map((session) => session.closed);
    for (const session of this.#sessions) {
      if (this.#idle.has(session)) session.end();
      session.destroy();
    }
    await Promise.all([this.#opening, ...gone]);
  }

  #wait(signal: AbortSignal | undefined, replaceable: boolean): Promise<Reservation> {
    const reservation = this.#waiters.join(signal, { replaceable });
    this.#pump();
    return reservation;
  }

  /** Serves waiters from idle sessions, and opens one more if these are not enough. */
  #pump(): void {
    if (this.#closing.signal.aborted) return;
    while (this.#waiters.length > 0) {
      const session = this.#takeIdle();
      if (!session) break;
      const waiter = this.#waiters.shift();
      waiter?.settle({ ok: true, slot: this.#slotOn(session, waiter.note.replaceable) });
    }
    if (this.#waiters.length > 0 && this.#mayOpen()) {
      this.#opening = this.#open().finally(() => {
        this.#opening = undefined;
        this.#pump();
      });
    }
    this.#watchIdle();
  }

  /** One at a time: a wrong password must count once, whatever the number of waiting calls. */
  #mayOpen(): boolean {
    if (this.#opening !== undefined || this.#sessions.size >= this.#options.concurrency) return false;
    return this.#sessions.size === 0 || performance.now() >= this.#growAfterMs;
  }

  async #open(): Promise<void> {
    const { open, connectTimeoutMs } = this.#options;
    const { signal } = this.#closing;
    const giveUpMs = performance.now() + connectTimeoutMs;
    for (;;) {
      let session: PooledSession | undefined;
      const opened = await open(() => session && this.#remove(session), signal);
      if (opened.ok) {
        session = opened.session;
        if (signal.aborted || session.lost) session.destroy();
        else {
          this.#sessions.add(session);
          this.#idle.add(session);
          this.#growAfterMs = 0;
        }
        if (signal.aborted) await session.closed;
        return;
      }
      if (this.#sessions.size > 0) {
        this.#growAfterMs = growsAgainAtMs(opened.failure);
        return;
      }
      const mayPass = opened.failure.code === 'SESSION_REFUSED';
      if (!mayPass || performance.now() + refusedAgainAfterMs >= giveUpMs || this.#waiters.length === 0) {
        this.#waiters.failAll(opened.failure);
        return;
      }
      await sleep(refusedAgainAfterMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
    }
  }

  #takeIdle(): PooledSession | undefined {
    for (const session of this.#idle) {
      this.#idle.delete(session);
      if (!session.lost) return session;
    }
    return undefined;
  }

  #remove(session: PooledSession): void {
    this.#sessions.delete(session);
    this.#idle.delete(session);
    this.#pump();
  }

  #watchIdle(): void {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = undefined;
    if (this.#waiters.length > 0 || this.#sessions.size === 0 || this.#idle.size < this.#sessions.size) return;
    this.#idleTimer = setTimeout(() => {
      for (const session of this.#idle) session.end();
      this.#idle.clear();
    }, this.#options.idleCloseMs);
  }

  #slotOn(session: PooledSession, replaceable: boolean): Slot {
    let used = false;
    return {
      send: async (call, options) => {
        if (used) return failed('CLOSED', 'The slot was used already.');
        used = true;
        const result = await session.run(call, options);
        void this.#giveBack(session, result);
        if (result !== 'stale') return result;
        const { where } = this.#options;
        if (!replaceable) return failed('CONNECT_FAILED', `${where} closed two sessions before the first byte.`);
        return this.#sendElsewhere(call, options);
      },
      release: () => {
        if (used) return;
        used = true;
        this.#release(session);
      },
    };
  }

  /** The session was lost between the reservation and the first byte: nothing was sent, so one more is tried. */
  async #sendElsewhere(call: WireCall, options: SendOptions): Promise<SendResult> {
    const reservation = await this.#wait(options.signal, false);
    return reservation.ok ? reservation.slot.send(call, options) : reservation;
  }

  async #giveBack(session: PooledSession, result: SendResult | 'stale'): Promise<void> {
    const untouched = result !== 'stale' && !result.ok && result.failure.kind === 'NOT_SENT';
    if (untouched || (!session.lost && (await session.recover()))) this.#release(session);
    else session.destroy();
  }

  #release(session: PooledSession): void {
    if (!session.lost && this.#sessions.has(session)) this.#idle.add(session);
    this.#pump();
  }
}
