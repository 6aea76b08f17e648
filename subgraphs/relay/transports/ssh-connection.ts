// One logged-in SSH connection and its session channels: some carry a call, the others are kept open for the next ones.

import type { Socket } from 'node:net';
import type { Client, ClientChannel } from 'ssh2';
import { resetSocket } from '../../../platform/net/reset-socket.ts';
import { inOneWrite, isChannelOpen, openSessionChannel, ping } from './ssh2-channels.ts';

/** OpenSSH allows 10 sessions per connection and frees them late. */
export const maxChannelsPerConnection = 4;
/** How long a device may take to prove that it has read everything sent, before the connection is cut. */
const proofTimeoutMs = 1_000;

interface SshConnectionOptions {
  readonly client: Client;
  readonly socket: Socket;
  readonly openTimeoutMs: number;
  /** Something changed that may let a waiting call proceed: a channel closed, or the connection. */
  readonly changed: () => void;
}

type OpenedChannel =
  | { readonly ok: true; readonly channel: ClientChannel }
  /** `useless`: the connection has no channel at all. If several fail together, it is true for only one. */
  | { readonly ok: false; readonly reason: string; readonly useless: boolean };

export class SshConnection {
  readonly client: Client;
  /** Resolves when the socket is closed. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #openTimeoutMs: number;
  readonly #changed: () => void;
  /** Spare, carrying a call, or closing (until the device has confirmed the end). */
  readonly #channels = new Set<ClientChannel>();
  readonly #spares = new Set<ClientChannel>();
  #opening = 0;
  #channelLimit = maxChannelsPerConnection;
  #retired = false;
  #lost = false;

  constructor(options: SshConnectionOptions) {
    this.client = options.client;
    this.#socket = options.socket;
    this.#openTimeoutMs = options.openTimeoutMs;
    this.#changed = options.changed;
    this.#lost = options.socket.destroyed;
    this.closed = new Promise((resolve) => {
      if (options.socket.closed) resolve();
      else options.socket.once('close', () => resolve());
    });
    options.socket.once('close', () => this.#lose());
    options.client.once('close', () => this.#lose());
  }

  /** The connection is lost. */
  get lost(): boolean {
    return this.#lost;
  }

  get spares(): number {
    return this.#spares.size;
  }

  /** Another channel may be opened. */
  get hasRoom(): boolean {
    return !this.#lost && !this.#retired && this.#channels.size + this.#opening < this.#channelLimit;
  }

  /** Bytes can be written to a live socket on this channel now. */
  canSendOn(channel: ClientChannel): boolean {
    return !this.#lost && this.#socket.writable && isChannelOpen(channel);
  }

  inOneWrite(write: () => void): void {
    inOneWrite(this.#socket, write);
  }

  /** A channel that was opened ahead, if there is one. */
  takeSpare(): ClientChannel | undefined {
    for (const spare of this.#spares) {
      this.#spares.delete(spare);
      if (this.canSendOn(spare)) return spare;
    }
    return undefined;
  }

  /** Keeps an unused channel for a later call. */
  giveBack(channel: ClientChannel): void {
    if (this.#retired) this.drop(channel);
    else if (this.canSendOn(channel)) this.#spares.add(channel);
  }

  /** Opens a channel. A device that refuses one gets fewer requests from then on. */
  open(): Promise<OpenedChannel> {
    return new Promise((resolve) => {
      let waiting = true;
      const answered = () => {
        waiting = false;
        clearTimeout(timer);
        this.#opening -= 1;
      };
      const fail = (reason: string) => {
        if (!waiting) return;
        answered();
        const limit = this.#lost ? 0 : Math.min(this.#channelLimit, this.#channels.size);
        const useless = limit === 0 && this.#channelLimit > 0;
        this.#channelLimit = limit;
        this.#endWhenUnused();
        resolve({ ok: false, reason, useless });
      };
      const timer = setTimeout(() => fail(`no answer within ${this.#openTimeoutMs} ms`), this.#openTimeoutMs);
      this.#opening += 1;
      openSessionChannel(this.client, (error, channel) => {
        if (error) {
          fail(error.message);
        } else if (waiting) {
          answered();
          this.#adopt(channel);
          resolve({ ok: true, channel });
        } else {
          channel.close();
        }
      });
    });
  }

  #adopt(channel: ClientChannel): void {
    this.#channels.add(channel);
    // Flowing without a listener: an end is noticed, and no data piles up.
    channel.resume();
    channel.stderr.resume();
    channel.once('close', () => {
      this.#spares.delete(channel);
      this.#channels.delete(channel);
      this.#endWhenUnused();
      this.#changed();
    });
  }

  /** Accepts no further call, and closes after its last one. */
  retire(): void {
    this.#retired = true;
    for (const spare of this.#spares) {
      this.#channels.delete(spare);
      spare.close();
    }
    this.#spares.clear();
    this.#endWhenUnused();
  }

  /** Closes a channel without waiting for the device's confirmation. The connection accepts no further call. */
  drop(channel: ClientChannel): void {
    channel.close();
    this.#channels.delete(channel);
    this.retire();
  }

  /**
   * Drops a channel whose call is past its deadline. When the promise resolves, this machine sends no more bytes of the call. A
   * connection without other calls was cut, including data still in the kernel. With other calls on it, either the device has
   * proved that it has read everything, and the calls continue, or the connection was cut too. Packets already passed to the
   * network are out of reach: on a link that was down they waited for ARP for up to 3 s and then arrived.
   */
  async abandon(channel: ClientChannel): Promise<void> {
    this.drop(channel);
    if (this.#lost || this.#socket.destroyed) return;
    if (!(await this.#hasReadEverything())) this.destroy();
  }

  #hasReadEverything(): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (proved: boolean) => {
        clearTimeout(timer);
        resolve(proved);
      };
      const timer = setTimeout(settle, proofTimeoutMs, false);
      ping(this.client, settle);
    });
  }

  /** Resets the TCP connection: calls on it end without a verdict. */
  destroy(): void {
    this.#retired = true;
    resetSocket(this.#socket);
  }

  /** A connection to a device that allows no channel at all, or a retired one, is not kept. */
  #endWhenUnused(): void {
    if (this.#channels.size + this.#opening > 0) return;
    if (this.#retired || this.#channelLimit === 0) this.destroy();
  }

  #lose(): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#spares.clear();
    this.destroy();
    this.#changed();
  }
}
