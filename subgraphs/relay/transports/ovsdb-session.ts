// One OVSDB connection (RFC 7047: JSON-RPC 1.0 over TLS) that carries one transact at a time. Reports exactly what is certain:
// the server's reply, nothing sent, or no verdict.

import { StringDecoder } from 'node:string_decoder';
import type { TLSSocket } from 'node:tls';
import type { SendFailure, SendOptions } from '../../../platform/net/send.ts';
import { failed, obstacle } from '../../../platform/net/send.ts';
import { nestsDeeperThan } from '../../../platform/values/json.ts';
import { foundRow, type JsonObject, type JsonValue, type OvsdbReply, type WireCall } from '../drivers/driver.ts';
import { JsonObjectSplitter } from './ovsdb-framing.ts';
import type { SendResult } from './session.ts';
import type { PooledSession } from './session-pool.ts';

const database = 'Open_vSwitch';
const defaultMaxReplyBytes = 1024 * 1024;
/** Between calls a server sends echo requests, which are short. */
const maxIdleChars = 64 * 1024;
const deepestEcho = 16;
/** Answers to echo requests that the server does not read. */
const mostUnreadBytes = 1024 * 1024;

/** How waiting for an answer ended. */
type Ending =
  | { readonly end: 'reply'; readonly result: JsonValue; readonly error: JsonValue }
  | { readonly end: 'closed' | 'deadline' | 'full' };

interface OvsdbSessionOptions {
  /** From `connectTlsEndpoint`: destroying it resets the connection. */
  readonly socket: TLSSocket;
  /** The connection is lost. Called once. */
  readonly lost: () => void;
}

export class OvsdbSession implements PooledSession {
  readonly closed: Promise<void>;
  readonly #socket: TLSSocket;
  readonly #decoder = new StringDecoder('utf8');
  readonly #splitter = new JsonObjectSplitter();
  #waiting: { readonly id: number; readonly ended: (ending: Ending) => void } | undefined;
  #roomChars = maxIdleChars;
  #lastId = 0;

  constructor({ socket, lost }: OvsdbSessionOptions) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#waiting?.ended({ end: 'closed' });
        resolve();
        lost();
      });
    });
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    // The end of the server's side means that it accepts no more calls.
    socket.once('end', () => this.destroy());
  }

  get lost(): boolean {
    return this.#socket.destroyed || !this.#socket.writable;
  }

  /**
   * Proves that the server has accepted this client: in TLS 1.3 its verdict on the client's certificate comes after the
   * handshake, and would otherwise hit the first call. Section 4.1.11.
   */
  async prove(timeoutMs: number): Promise<'accepted' | 'refused' | 'no answer'> {
    let refused = false;
    this.#socket.once('error', (error: NodeJS.ErrnoException) => {
      refused = /^ERR_SSL_.*ALERT/.test(error.code ?? '');
    });
    const ending = await this.#request('echo', [], timeoutMs, maxIdleChars);
    if (ending.end === 'reply') return 'accepted';
    return refused ? 'refused' : 'no answer';
  }

  async run(call: WireCall, options: SendOptions): Promise<SendResult | 'stale'> {
    if (call.kind !== 'ovsdb') return failed('PROTOCOL_FAILED', `Calls of kind ${call.kind} can't be sent over OVSDB.`);
    const startedMs = performance.now();
    if (call.find === undefined) return this.#transact(call.operations, options, startedMs);
    const { beforeFirstByte: _ofTheCall, ...ofRead } = options;
    const found = await this.#transact([call.find], ofRead, startedMs);
    if (found === 'stale') return found;
    if (!found.ok) return failed('CONNECT_FAILED', `The read before the call failed: ${found.failure.message}`);
    const { reply } = found;
    if (reply.kind !== 'ovsdb' || reply.truncated || nestsDeeperThan(reply.result, deepestEcho))
      return failed('CONNECT_FAILED', 'The read before the call failed: its reply is unreadable.');
    const [id = foundRow] = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec(JSON.stringify(reply.result)) ?? [];
    const operations = JSON.parse(JSON.stringify(call.operations).replaceAll(foundRow, id)) as readonly JsonObject[];
    return this.#transact(operations, options, startedMs);
  }

  /** `startedMs`: when the call began, the read before it included. */
  async #transact(
    operations: readonly JsonObject[],
    options: SendOptions,
    startedMs: number,
  ): Promise<SendResult | 'stale'> {
    const against = obstacle(options, this.lost);
    if (against !== undefined) return against;
    const leftMs = Math.max(options.deadlineMs - (performance.now() - startedMs), 1);
    const roomChars = options.maxReplyBytes ?? defaultMaxReplyBytes;
    const ending = await this.#request('transact', [database, ...operations], leftMs, roomChars);
    if (ending.end !== 'reply') this.destroy();
    if (ending.end === 'deadline' || ending.end === 'closed')
      return { ok: false, failure: noVerdict(ending.end, options) };
    const { result, error } = ending.end === 'reply' ? ending : { result: null, error: null };
    const reply: OvsdbReply = { kind: 'ovsdb', result, error, truncated: ending.end === 'full' };
    return { ok: true, reply, elapsedMs: performance.now() - startedMs };
  }

  /** Nothing to restore between two calls. */
  recover(): Promise<boolean> {
    return Promise.resolve(!this.lost);
  }

  /** The protocol has no goodbye message. */
  end(): void {
    this.destroy();
  }

  /** Resets the TCP connection: bytes that the kernel has not sent are dropped. */
  destroy(): void {
    this.#socket.destroy();
  }

  #request(method: string, params: JsonValue, timeoutMs: number, roomChars: number): Promise<Ending> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#waiting?.ended({ end: 'deadline' }), timeoutMs);
      this.#roomChars = roomChars;
      this.#waiting = {
        id,
        ended: (ending) => {
          clearTimeout(timer);
          this.#waiting = undefined;
          this.#roomChars = maxIdleChars;
          resolve(ending);
        },
      };
      this.#socket.write(JSON.stringify({ id, method, params }));
    });
  }

  #read(chunk: Buffer): void {
    const messages = this.#splitter.add(this.#decoder.write(chunk));
    if (messages === undefined) this.destroy();
    for (const text of messages ?? []) {
      if (text.length > this.#roomChars) this.#tooLong();
      else this.#take(text);
    }
    if (this.#splitter.pendingChars > this.#roomChars) this.#tooLong();
  }

  #tooLong(): void {
    this.#waiting?.ended({ end: 'full' });
    this.destroy();
  }

  #take(text: string): void {
    const message = parse(text);
    if (message === undefined) this.destroy();
    const { id, method, params, result, error } = message ?? {};
    if (method === 'echo') {
      this.#echo(id ?? null, params ?? []);
    } else if (method === undefined && this.#waiting !== undefined && id === this.#waiting.id) {
      this.#waiting.ended({ end: 'reply', result: result ?? null, error: error ?? null });
    }
    // Anything else was not requested: notifications, or answers to abandoned requests.
  }

  /** A server that asks without end, or for something that can't be written, is not served. */
  #echo(id: JsonValue, result: JsonValue): void {
    if (nestsDeeperThan([id, result], deepestEcho) || this.#socket.writableLength > mostUnreadBytes) this.destroy();
    else this.#socket.write(JSON.stringify({ id, result, error: null }));
  }
}

function parse(text: string): JsonObject | undefined {
  try {
    return JSON.parse(text) as JsonObject;
  } catch {
    return undefined;
  }
}

function noVerdict(end: 'closed' | 'deadline', options: SendOptions): SendFailure {
  if (end === 'deadline') {
    return { kind: 'NO_VERDICT', code: 'NO_REPLY', message: `No complete reply within ${options.deadlineMs} ms.` };
  }
  const message = 'The connection was lost before the reply was complete.';
  return { kind: 'NO_VERDICT', code: 'CONNECTION_LOST', message };
}
