// The sessions to one endpoint: connections are opened as calls need them, at most the backend's concurrency, and closed when
// idle. A failed login fails all its waiters; it is not retried.

import type { ClientChannel } from 'ssh2';
import type { NotSentCode, SendOptions } from '../../../platform/net/send.ts';
import { failed } from '../../../platform/net/send.ts';
import { WaitQueue } from '../../../platform/net/wait-queue.ts';
import type { WireCall } from '../drivers/driver.ts';
import { growsAgainAtMs } from './growth.ts';
import type { Endpoint, Reservation, SendResult, Slot, Transport, TransportOptions } from './session.ts';
import { createSshCliTransport } from './ssh-cli-transport.ts';
import { maxChannelsPerConnection, SshConnection } from './ssh-connection.ts';
import { runExec } from './ssh-exec.ts';
import { login } from './ssh-login.ts';

/** Connections without a single channel before a waiting call is refused. */
const maxRefusals = 2;

interface WaiterNote {
  /** The slot may get another session when its own is lost before the first byte. */
  readonly replaceable: boolean;
  refusals: number;
}

interface Place {
  readonly connection: SshConnection;
  readonly channel: ClientChannel;
}

/** Connects only when a slot is requested. With `options.cli` it carries calls of kind `cli` only, else only `exec`. */
export function createSshTransport(endpoint: Endpoint, options: TransportOptions): Transport {
  const { cli } = options;
  return cli === undefined ? new SshTransport(endpoint, options) : createSshCliTransport(endpoint, options, cli);
}

class SshTransport implements Transport {
  readonly #endpoint: Endpoint;
  readonly #options: TransportOptions &
    Required<Pick<TransportOptions, 'connectTimeoutMs' | 'idleCloseMs' | 'keepaliveMs'>>;
  readonly #connections = new Set<SshConnection>();
  readonly #waiters = new WaitQueue<Reservation, WaiterNote>();
  readonly #closing = new AbortController();
  #connecting = 0;
  #opening = 0;
  #slotsOut = 0;
  #growAfterMs = 0;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(endpoint: Endpoint, options: TransportOptions) {
    this.#endpoint = endpoint;
    this.#options = { connectTimeoutMs: 10_000, idleCloseMs: 60_000, keepaliveMs: 10_000, ...options };
  }

  tryReserve(): Slot | undefined {
    if (this.#waiters.length > 0) return undefined;
    const place = this.#takeSpare();
    this.#pump();
    return place && this.#slotAt(place, true);
  }

  reserve(options: { readonly signal?: AbortSignal } = {}): Promise<Reservation> {
    return this.#wait(options.signal, true);
  }

  #wait(signal: AbortSignal | undefined, replaceable: boolean): Promise<Reservation> {
    const reservation = this.#waiters.join(signal, { replaceable, refusals: 0 });
    this.#pump();
    return reservation;
  }

  async send(call: WireCall, options: SendOptions): Promise<SendResult> {
    const reservation = await this.reserve(options.signal ? { signal: options.signal } : {});
    return reservation.ok ? reservation.slot.send(call, options) : reservation;
  }

  state() {
    return { sessions: this.#connections.size, channels: this.#slotsOut };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#idleTimer);
    this.#waiters.close();
    const gone = [...this.#connections].map((connection) => connection.closed);
    for (const connection of this.#connections) connection.destroy();
    await Promise.all(gone);
  }

  /** Serves waiters from spare channels, then new channels, then new connections; then opens some ahead. */
  #pump(): void {
    if (this.#closing.signal.aborted) return;
    while (this.#waiters.length > 0) {
      const place = this.#takeSpare();
      if (!place) break;
      const waiter = this.#waiters.shift();
      waiter?.settle({ ok: true, slot: this.#slotAt(place, waiter.note.replaceable) });
    }
    const servable = Math.min(this.#waiters.length, this.#options.concurrency - this.#slotsOut);
    let missing = servable - this.#opening - this.#connecting * maxChannelsPerConnection;
    for (const connection of this.#connections) {
      while (missing > 0 && connection.hasRoom) {
        void this.#openOn(connection);
        missing -= 1;
      }
    }
    if (missing > 0 && this.#mayConnect()) void this.#connect();
    this.#keepReady();
    this.#watchIdle();
  }

  #takeSpare(): Place | undefined {
    if (this.#closing.signal.aborted || this.#slotsOut >= this.#options.concurrency) return undefined;
    for (const connection of this.#connections) {
      const channel = connection.takeSpare();
      if (channel) {
        this.#slotsOut += 1;
        return { connection, channel };
      }
    }
    return undefined;
  }

  /** One login at a time: a wrong password must count once, whatever the number of waiting calls. */
  #mayConnect(): boolean {
    // A device may allow fewer channels per connection than usual, so there can be one connection for each call.
    if (this.#connecting > 0 || this.#connections.size >= this.#options.concurrency) return false;
    return this.#connections.size === 0 || performance.now() >= this.#growAfterMs;
  }

  async #connect(): Promise<void> {
    this.#connecting += 1;
    const { egress, connectTimeoutMs, keepaliveMs } = this.#options;
    const result = await login(this.#endpoint, {
      egress,
      timeoutMs: connectTimeoutMs,
      keepaliveMs,
      signal: this.#closing.signal,
    });
    this.#connecting -= 1;
    if (!result.ok) {
      if (this.#connections.size === 0) this.#waiters.failAll(result.failure);
      else this.#growAfterMs = growsAgainAtMs(result.failure);
      this.#pump();
      return;
    }
    const connection: SshConnection = new SshConnection({
      client: result.client,
      socket: result.socket,
      openTimeoutMs: connectTimeoutMs,
      changed: () => {
        if (connection.lost) this.#connections.delete(connection);
        this.#pump();
      },
    });
    if (this.#closing.signal.aborted) connection.destroy();
    else if (!connection.lost) this.#connections.add(connection);
    this.#growAfterMs = 0;
    this.#pump();
  }

  async #openOn(connection: SshConnection): Promise<void> {
    this.#opening += 1;
    const opened = await connection.open();
    this.#opening -= 1;
    if (opened.ok) connection.giveBack(opened.channel);
    else if (opened.useless) this.#refuseFirst(connection.lost ? 'CONNECT_FAILED' : 'CHANNEL_REFUSED', opened.reason);
    this.#pump();
  }

  /** A connection gave no channel to the longest waiter; after the second one the waiter is refused. */
  #refuseFirst(code: NotSentCode, reason: string): void {
    const { first } = this.#waiters;
    if (!first) return;
    first.note.refusals += 1;
    if (first.note.refusals < maxRefusals) return;
    this.#waiters.shift();
    first.settle(failed(code, `${this.#where} did not open a session channel: ${reason}.`));
  }

  /**
   * Opening ahead saves the next calls a round trip, and a refusal shows before anything is journaled. Opens as many channels as
   * calls are allowed at once, within the existing connections.
   */
  #keepReady(): void {
    if (this.#waiters.length > 0) return;
    const connections = [...this.#connections];
    const spares = connections.reduce((sum, connection) => sum + connection.spares, 0);
    let missing = this.#options.concurrency - this.#slotsOut - this.#opening - spares;
    for (const connection of connections) {
      for (; missing > 0 && connection.hasRoom; missing -= 1) void this.#openOn(connection);
    }
  }

  #watchIdle(): void {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = undefined;
    if (this.#slotsOut > 0 || this.#waiters.length > 0 || this.#connections.size === 0) return;
    this.#idleTimer = setTimeout(() => {
      for (const connection of this.#connections) connection.retire();
    }, this.#options.idleCloseMs);
  }

  #slotAt(place: Place, replaceable: boolean): Slot {
    let used = false;
    const free = () => {
      place.connection.giveBack(place.channel);
      this.#slotsOut -= 1;
      this.#pump();
    };
    return {
      send: async (call, options) => {
        if (used) return failed('CLOSED', 'The slot was used already.');
        used = true;
        if (call.kind !== 'exec') {
          free();
          return failed('PROTOCOL_FAILED', `Calls of kind ${call.kind} can't be sent over an exec channel.`);
        }
        const result = await runExec(place.connection, place.channel, call, options);
        free();
        if (result !== 'stale') return result;
        if (!replaceable) return failed('CONNECT_FAILED', `${this.#where} closed two sessions before the first byte.`);
        return this.#sendElsewhere(call, options);
      },
      release: () => {
        if (used) return;
        used = true;
        free();
      },
    };
  }

  /** The session was lost between the reservation and the first byte: nothing was sent, so one more is tried. */
  async #sendElsewhere(call: WireCall, options: SendOptions): Promise<SendResult> {
    const reservation = await this.#wait(options.signal, false);
    return reservation.ok ? reservation.slot.send(call, options) : reservation;
  }

  get #where(): string {
    return `${this.#endpoint.host}:${this.#endpoint.port}`;
  }
}
