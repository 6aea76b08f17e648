// One NETCONF session in an SSH subsystem: hello, then one request at a time. A call that changes something is one unit on this
// session: under a lock the candidate is made clean, edited and committed, and the result is read. Reports exactly what is certain:
// nothing sent, the server's answers, or no verdict.

import type { Socket } from 'node:net';
import type { Client, ClientChannel } from 'ssh2';
import { resetSocket } from '../../../platform/net/reset-socket.ts';
import {
  failed,
  isAllowed,
  type NotSentCode,
  obstacle,
  type SendFailure,
  type SendOptions,
} from '../../../platform/net/send.ts';
import type { NetconfCall, NetconfReply, WireCall } from '../drivers/driver.ts';
import { type Framing, framed, MessageReader } from './netconf-framing.ts';
import {
  type Answer,
  capability,
  clientHello,
  readAnswer,
  readHello,
  requests,
  rpc,
  type ServerHello,
} from './netconf-messages.ts';
import type { SendResult } from './session.ts';
import type { OpenedSession, PooledSession } from './session-pool.ts';
import { inOneWrite, isChannelOpen } from './ssh2-channels.ts';

const subsystem = 'netconf';
const defaultMaxReplyBytes = 1024 * 1024;
/** For the release of a lock after a call. */
const recoverTimeoutMs = 5_000;
/** How long a server may take to close its side of a session that this side ends. */
const endTimeoutMs = 1_000;

interface NetconfOptions {
  readonly client: Client;
  readonly socket: Socket;
  /** For messages. */
  readonly where: string;
  /** For the subsystem and the hello. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** The session is lost. Called once, and only for an opened one. */
  readonly lost: () => void;
}

/** Never rejects. Owns the connection from here on: closes it if this fails. */
export function openNetconf(options: NetconfOptions): Promise<OpenedSession> {
  const { client, socket, where, timeoutMs, signal } = options;
  return new Promise((resolve) => {
    let done = false;
    const finish = (opened: OpenedSession) => {
      if (done) return;
      done = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.off('close', onClose);
      if (!opened.ok) resetSocket(socket);
      resolve(opened);
    };
    const refuse = (code: NotSentCode, reason: string) =>
      finish({
        ok: false,
        failure: { kind: 'NOT_SENT', code, message: `${where} did not open a NETCONF session: ${reason}.` },
      });
    const onClose = () => refuse('SESSION_REFUSED', 'it closed the connection');
    const onAbort = () => refuse('ABORTED', 'it was cancelled');
    const timer = setTimeout(refuse, timeoutMs, 'CONNECT_FAILED', `no hello within ${timeoutMs} ms`);
    socket.once('close', onClose);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted || socket.destroyed) return signal.aborted ? onAbort() : onClose();
    try {
      client.subsys(subsystem, async (error, channel) => {
        if (done) return;
        if (error) return refuse('SESSION_REFUSED', error.message);
        const session = new NetconfSession(options, channel);
        const fault = await session.greet();
        if (fault === undefined) finish({ ok: true, session });
        else refuse(fault.code, fault.reason);
      });
    } catch {
      // ssh2 throws when the device has ended the connection together with its answer to the login.
      onClose();
    }
  });
}

/** How waiting for a message ended. */
type Received = Buffer | 'closed' | 'deadline' | 'rubbish' | 'too long';

/** How a request ended; an `Answer` is the server's. */
type Asked = Answer | { readonly kind: 'none'; readonly why: Exclude<Received, Buffer> };

type Errors = Extract<Answer, { kind: 'errors' }>;
/** How preparing an edit ended; `given up`: nothing of the call was sent. */
type Prepared =
  | { readonly kind: 'ok' }
  | Errors
  | { readonly kind: 'given up'; readonly result: ReturnType<typeof failed> | 'stale' };

class NetconfSession implements PooledSession {
  readonly closed: Promise<void>;
  readonly #options: NetconfOptions;
  readonly #channel: ClientChannel;
  readonly #reader = new MessageReader(defaultMaxReplyBytes);
  #hello: ServerHello | undefined;
  #framing: Framing = 'end-of-message';
  #waiting: ((received: Received) => void) | undefined;
  #lastId = 0;
  /** The datastore that this session has locked. */
  #locked: 'candidate' | 'running' | undefined;
  /** The candidate may have an edit of this session. */
  #isDirty = false;
  #gone = false;

  constructor(options: NetconfOptions, channel: ClientChannel) {
    this.#options = options;
    this.#channel = channel;
    const { socket, client } = options;
    this.closed = new Promise((resolve) => {
      if (socket.closed) resolve();
      else socket.once('close', () => resolve());
    });
    channel.on('data', (bytes: Buffer) => this.#read(bytes));
    channel.stderr.resume();
    channel.once('close', () => this.#lose());
    socket.once('close', () => this.#lose());
    client.once('close', () => this.#lose());
  }

  get lost(): boolean {
    return this.#gone || !this.#options.socket.writable || !isChannelOpen(this.#channel);
  }

  /** Undefined: success. */
  async greet(): Promise<{ code: NotSentCode; reason: string } | undefined> {
    const message = this.#next(this.#options.timeoutMs);
    this.#write(clientHello);
    const received = await message;
    switch (received) {
      case 'closed':
        return { code: 'SESSION_REFUSED', reason: 'it ended the session without a hello' };
      case 'deadline':
        return { code: 'CONNECT_FAILED', reason: 'it did not say hello in time' };
      case 'rubbish':
      case 'too long':
        return { code: 'PROTOCOL_FAILED', reason: `its hello is ${received}` };
    }
    const hello = readHello(received);
    if (typeof hello === 'string') return { code: 'PROTOCOL_FAILED', reason: hello };
    this.#hello = hello;
    // RFC 6242, section 4.1: chunks if both have base:1.1.
    if (hello.capabilities.has(capability.base11)) {
      this.#framing = 'chunked';
      this.#reader.framing = 'chunked';
    }
    return undefined;
  }

  async run(call: WireCall, options: SendOptions): Promise<SendResult | 'stale'> {
    if (call.kind !== 'netconf')
      return failed('PROTOCOL_FAILED', `Calls of kind ${call.kind} can't be sent over NETCONF.`);
    const startedMs = performance.now();
    this.#reader.mostBytes = options.maxReplyBytes ?? defaultMaxReplyBytes;
    const untilMs = startedMs + options.deadlineMs;
    const result = call.edit === undefined ? await this.#get(call, options, untilMs) : await this.#edit(call, options);
    if (result === 'stale' || !result.ok) return result;
    return { ...result, elapsedMs: performance.now() - startedMs };
  }

  /** Discards the rest of an edit, and releases the lock. */
  async recover(): Promise<boolean> {
    const untilMs = performance.now() + recoverTimeoutMs;
    const asks = [
      ...(this.#isDirty ? [requests.discard] : []),
      ...(this.#locked === undefined ? [] : [requests.unlock(this.#locked)]),
    ];
    for (const request of asks) {
      if (this.lost || (await this.#ask(request, 'ok', untilMs)).kind !== 'ok') return false;
    }
    this.#isDirty = false;
    this.#locked = undefined;
    return !this.lost;
  }

  /** RFC 6241, section 7.8. */
  end(): void {
    const { socket, client } = this.#options;
    this.#write(rpc(this.#lastId + 1, requests.close));
    this.#channel.end();
    client.end();
    const timer = setTimeout(resetSocket, endTimeoutMs, socket);
    void this.closed.then(() => clearTimeout(timer));
  }

  /** The server discards a locked candidate with its session. */
  destroy(): void {
    resetSocket(this.#options.socket);
  }

  async #get(call: NetconfCall, options: SendOptions, untilMs: number): Promise<SendResult | 'stale'> {
    const against = obstacle(options, this.lost);
    if (against !== undefined) return against;
    return this.#step(call, 'read', requests.read(call, this.#readsExplicit), 'data', untilMs, options);
  }

  async #edit(call: NetconfCall, options: SendOptions): Promise<SendResult | 'stale'> {
    if (options.signal?.aborted) return failed('ABORTED', 'The call was cancelled before its first byte.');
    if (this.lost) return 'stale';
    const { edit } = call;
    const target = this.#target;
    if (edit === undefined || target === undefined) {
      const message = `${this.#options.where} lets no client change its configuration: it has neither a candidate nor a writable running one.`;
      return failed('PROTOCOL_FAILED', message);
    }
    const untilMs = performance.now() + options.deadlineMs;
    const prepared = await this.#prepare(target, edit.foreignEdits, untilMs);
    if (prepared.kind === 'given up') return prepared.result;
    if (prepared.kind === 'errors') return this.#reply(call, { step: 'lock', errors: prepared.errors });
    const refused = await this.#refusedByGuard(call, untilMs);
    // The edit is the first byte of the call: until here no part of the call was sent, and the server has changed nothing.
    const against = refused ?? obstacle(options, this.lost);
    if (against !== undefined) {
      if (!(await this.recover())) this.destroy();
      return against;
    }
    const edited = target === 'running' && !this.#has(capability.rollbackOnError) ? 'running without rollback' : target;
    this.#isDirty = target === 'candidate';
    const request = requests.edit(edit, target, target === 'running' && edited === 'running');
    const staged = await this.#step(call, 'edit', request, 'ok', untilMs, options, edited);
    if (!staged.ok || !isDone(staged)) return staged;
    if (target === 'candidate') {
      const committed = await this.#step(call, 'commit', requests.commit, 'ok', untilMs, options, edited);
      if (!committed.ok || !isDone(committed)) return committed;
      this.#isDirty = false;
    }
    const read = requests.read({ source: 'running', filter: call.filter }, this.#readsExplicit);
    return this.#step(call, 'read', read, 'data', untilMs, options, edited);
  }

  /** The reply to a guard that does not allow the edit. Undefined: it may be sent. */
  async #refusedByGuard(call: NetconfCall, untilMs: number): Promise<SendResult | undefined> {
    const { edit, filter } = call;
    if (edit?.guard === undefined) return undefined;
    const asked = await this.#ask(requests.read({ source: 'running', filter }, this.#readsExplicit), 'data', untilMs);
    const said =
      asked.kind === 'ok'
        ? { step: 'done' as const, data: asked.data }
        : { step: 'read' as const, ...(asked.kind === 'errors' ? { errors: asked.errors } : {}) };
    const read = this.#reply(call, { ...said, unsent: true });
    return read.ok && read.reply.kind === 'netconf' && isAllowed(edit.guard, read.reply) ? undefined : read;
  }

  /**
   * Locks, and makes the candidate what `running` is. An edit that was left in an unlocked candidate would be committed too. An
   * edit that a lock protects is not touched. Undefined: success.
   */
  async #prepare(
    target: 'candidate' | 'running',
    foreignEdits: 'discard' | 'refuse',
    untilMs: number,
  ): Promise<Prepared> {
    let locked = await this.#plumb(requests.lock(target), untilMs);
    if (target === 'candidate' && foreignEdits === 'discard' && locked.kind === 'errors' && !namesHolder(locked)) {
      // RFC 6241, section 7.5: a candidate with edits is not locked for anyone.
      const discarded = await this.#plumb(requests.discard, untilMs);
      if (discarded.kind === 'given up') return discarded;
      locked = await this.#plumb(requests.lock(target), untilMs);
    }
    if (locked.kind !== 'ok') return locked;
    this.#locked = target;
    // Not every server refuses the lock of a candidate with edits.
    return target === 'candidate' ? this.#plumb(requests.discard, untilMs) : locked;
  }

  async #plumb(request: string, untilMs: number): Promise<Prepared> {
    const asked = await this.#ask(request, 'ok', untilMs);
    if (asked.kind === 'ok' || asked.kind === 'errors') return asked;
    this.destroy();
    if (asked.kind === 'none' && asked.why === 'closed') return { kind: 'given up', result: 'stale' };
    const reason = asked.kind === 'fault' ? asked.fault : `Its answer is missing (${asked.why}).`;
    const code = asked.kind === 'none' && asked.why === 'deadline' ? 'CONNECT_FAILED' : 'PROTOCOL_FAILED';
    const message = `${this.#options.where} did not lock its configuration. ${reason} Nothing was sent.`;
    return { kind: 'given up', result: failed(code, message) };
  }

  async #step(
    call: NetconfCall,
    step: Exclude<NetconfReply['step'], 'lock' | 'done'>,
    request: string,
    wants: 'ok' | 'data',
    untilMs: number,
    options: SendOptions,
    edited?: NetconfReply['edited'],
  ): Promise<SendResult> {
    const asked = await this.#ask(request, wants, untilMs);
    const at = edited === undefined ? {} : { edited };
    switch (asked.kind) {
      case 'ok':
        return this.#reply(call, { step: 'done', data: asked.data, ...at });
      case 'errors':
        return this.#reply(call, { step, errors: asked.errors, ...at });
      case 'fault':
        this.destroy();
        return this.#reply(call, { step, fault: asked.fault, ...at });
    }
    this.destroy();
    if (asked.why === 'too long') return this.#reply(call, { step, truncated: true, ...at });
    if (asked.why === 'rubbish')
      return this.#reply(call, { step, fault: 'The reply is not framed as RFC 6242 says.', ...at });
    return { ok: false, failure: noVerdict(asked.why, options) };
  }

  #reply(call: NetconfCall, said: Partial<NetconfReply> & Pick<NetconfReply, 'step'>): SendResult {
    const { modules } = call;
    const reply: NetconfReply = { kind: 'netconf', errors: [], data: null, truncated: false, modules, ...said };
    return { ok: true, reply, elapsedMs: 0 };
  }

  /** Sends no request once the deadline is over, even if this process was stopped in the meantime. */
  async #ask(content: string, wants: 'ok' | 'data', untilMs: number): Promise<Asked> {
    const leftMs = untilMs - performance.now();
    if (this.lost) return { kind: 'none', why: 'closed' };
    if (leftMs <= 0) return { kind: 'none', why: 'deadline' };
    this.#lastId += 1;
    const id = this.#lastId;
    const message = this.#next(leftMs);
    this.#write(rpc(id, content));
    const received = await message;
    return typeof received === 'string' ? { kind: 'none', why: received } : readAnswer(received, id, wants);
  }

  #write(message: string): void {
    inOneWrite(this.#options.socket, () => this.#channel.write(framed(message, this.#framing)));
  }

  #next(timeoutMs: number): Promise<Received> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#waiting?.('deadline'), timeoutMs);
      this.#waiting = (received) => {
        clearTimeout(timer);
        this.#waiting = undefined;
        resolve(received);
      };
    });
  }

  #read(bytes: Buffer): void {
    this.#reader.add(bytes);
    const waiting = this.#waiting;
    // An unexpected answer. An answer that came before its request proves nothing, and after two answers to one request none can be
    // trusted.
    if (waiting === undefined) this.destroy();
    const taken = waiting && this.#reader.take();
    if (waiting === undefined || taken === undefined) return;
    waiting(
      typeof taken !== 'string' && this.#reader.pendingBytes > 0 && this.#framing === 'chunked' ? 'rubbish' : taken,
    );
  }

  #lose(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#waiting?.('closed');
    this.destroy();
    if (this.#hello !== undefined) this.#options.lost();
  }

  get #target(): 'candidate' | 'running' | undefined {
    if (this.#has(capability.candidate)) return 'candidate';
    return this.#has(capability.writableRunning) ? 'running' : undefined;
  }

  /** RFC 6243, section 4.3: the values that the server leaves out by default, and the other modes that it offers. */
  get #readsExplicit(): boolean {
    const offered = this.#hello?.capabilities.get(capability.withDefaults);
    if (offered === undefined || offered.get('basic-mode') === 'explicit') return false;
    return (offered.get('also-supported') ?? '').split(',').includes('explicit');
  }

  #has(uri: string): boolean {
    return this.#hello?.capabilities.has(uri) === true;
  }
}

/** A lock has a holder; 0 stands for a program other than NETCONF's. */
function namesHolder({ errors }: Errors): boolean {
  return errors.some(({ holder }) => holder !== undefined && holder !== '0');
}

function isDone({ reply }: Extract<SendResult, { ok: true }>): boolean {
  return reply.kind === 'netconf' && reply.step === 'done';
}

function noVerdict(why: 'closed' | 'deadline', options: SendOptions): SendFailure {
  if (why === 'deadline') {
    return { kind: 'NO_VERDICT', code: 'NO_REPLY', message: `No complete reply within ${options.deadlineMs} ms.` };
  }
  const message = 'The device ended the session before the reply was complete.';
  return { kind: 'NO_VERDICT', code: 'CONNECTION_LOST', message };
}
