// A device's command line in an interactive shell on its own SSH connection: one line after the other, each typed when the device
// has shown its prompt again. Reports exactly what is certain about a block: its complete output, nothing sent, or no verdict.

import type { Socket } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import type { Client, ClientChannel } from 'ssh2';
import { resetSocket } from '../../../platform/net/reset-socket.ts';
import type { NotSentCode, SendResult as ResultOf, SendFailure, SendOptions } from '../../../platform/net/send.ts';
import { failed, isAllowed, obstacle } from '../../../platform/net/send.ts';
import type { CliCall, CliDialect, CliReply, WireCall } from '../drivers/driver.ts';
import type { SendResult } from './session.ts';
import type { OpenedSession, PooledSession } from './session-pool.ts';
import { CliOutput, PromptStart } from './ssh-cli-output.ts';
import { inOneWrite, isChannelOpen } from './ssh2-channels.ts';

const defaultMaxReplyBytes = 1024 * 1024;
/** Wider than any line, so that the device does not wrap its echo; many rows for devices that can't switch paging off. */
const terminal = { term: 'vt100', cols: 2_000, rows: 1_000 };
/** Silence after which something that looks like a prompt is one; the very first prompt comes only after a greeting. */
const quietMs = 250;
const firstQuietMs = 100;
/** For login, set-up lines and the return to the first prompt: their output is short. */
const maxPlumbingBytes = 64 * 1024;
/** For the return to the first prompt after a block. */
const recoverTimeoutMs = 5_000;
/** How long a device may take to close its side of a session that this side ends. */
const endTimeoutMs = 1_000;
/** Longest quote, in a message, of the device's reason for ending a shell at once. */
const maxQuotedChars = 200;
/** Ctrl-V, which types the next key, is the only control character allowed in a line. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it looks for
const controlCharacters = /[\x00-\x15\x17-\x1f\x7f-\x9f\u2028\u2029]/;

interface CliShellOptions {
  readonly client: Client;
  readonly socket: Socket;
  readonly dialect: CliDialect;
  /** For messages. */
  readonly where: string;
  /** For the first prompt and all of `dialect.setup`. */
  readonly timeoutMs: number;
  /** Hides secrets in the device's words for a message. Called before the words are cut. */
  readonly hide?: (text: string) => string;
  readonly signal: AbortSignal;
  /** The session is lost. Called once, and only for an opened one. */
  readonly lost: () => void;
}

/** How the output after a line ended. */
type Ending = 'prompt' | 'closed' | 'deadline' | 'full';

type CliResult = ResultOf<CliReply>;

interface Typed {
  readonly ending: Ending;
  readonly output: string;
  readonly prompt: string;
}

/** Never rejects. Owns the connection from here on: closes it if this fails. */
export function openCliShell(options: CliShellOptions): Promise<OpenedSession> {
  const { client, socket, where, timeoutMs, signal } = options;
  return new Promise((resolve) => {
    const refuse = (code: NotSentCode, reason: string) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.off('close', onClose);
      resetSocket(socket);
      resolve({
        ok: false,
        failure: { kind: 'NOT_SENT', code, message: `${where} did not open a command line: ${reason}.` },
      });
    };
    const onClose = () => refuse('SESSION_REFUSED', 'it closed the connection');
    const onAbort = () => refuse('ABORTED', 'it was cancelled');
    const timer = setTimeout(refuse, timeoutMs, 'CONNECT_FAILED', `no answer within ${timeoutMs} ms`);
    socket.once('close', onClose);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    try {
      client.shell(terminal, async (error, channel) => {
        clearTimeout(timer);
        socket.off('close', onClose);
        if (error) return refuse('SESSION_REFUSED', error.message);
        const shell = new CliShell(options, channel);
        const fault = await shell.setUp(timeoutMs);
        signal.removeEventListener('abort', onAbort);
        if (fault) refuse(fault.code, fault.reason);
        else resolve({ ok: true, session: shell });
      });
    } catch {
      // ssh2 throws when the device has ended the connection together with its answer to the login.
      onClose();
    }
  });
}

class CliShell implements PooledSession {
  readonly closed: Promise<void>;
  readonly #channel: ClientChannel;
  readonly #client: Client;
  readonly #socket: Socket;
  readonly #dialect: CliDialect;
  readonly #decoder = new StringDecoder('utf8');
  readonly #lost: () => void;
  readonly #hide: (text: string) => string;
  /** The expected output. Undefined if output is discarded. */
  #reading: { readonly into: CliOutput; readonly ended: (ending: Ending) => void } | undefined;
  #roomBytes = 0;
  #pager: CliDialect['pager'];
  #quietTimer: NodeJS.Timeout | undefined;
  #isSetUp = false;
  #gone = false;
  #prompts: PromptStart | undefined;
  /** The prompt between two blocks. */
  #firstPrompt = '';
  #lastPrompt = '';

  constructor(options: CliShellOptions, channel: ClientChannel) {
    this.#channel = channel;
    this.#client = options.client;
    this.#socket = options.socket;
    this.#dialect = options.dialect;
    this.#lost = options.lost;
    this.#hide = options.hide ?? ((text) => text);
    this.closed = new Promise((resolve) => {
      if (options.socket.closed) resolve();
      else options.socket.once('close', () => resolve());
    });
    channel.on('data', (chunk: Buffer) => this.#read(chunk));
    channel.stderr.on('data', (chunk: Buffer) => this.#read(chunk));
    channel.once('close', () => this.#lose());
    options.socket.once('close', () => this.#lose());
    options.client.once('close', () => this.#lose());
  }

  get lost(): boolean {
    return this.#gone || !this.#socket.writable || !isChannelOpen(this.#channel);
  }

  /** Waits for the first prompt and types the set-up lines. Undefined: success. */
  async setUp(timeoutMs: number): Promise<{ code: NotSentCode; reason: string } | undefined> {
    const timer = setTimeout(() => this.#reading?.ended('deadline'), timeoutMs);
    this.#roomBytes = maxPlumbingBytes;
    // Before the first prompt a device may wait for a key once, to have its banner accepted.
    const { banner } = this.#dialect;
    this.#pager = banner ?? this.#dialect.pager;
    let typed = await this.#await(
      new CliOutput(banner === undefined ? this.#dialect : { ...this.#dialect, pager: banner }),
    );
    this.#pager = this.#dialect.pager;
    this.#prompts = new PromptStart(typed.prompt);
    for (const line of this.#dialect.setup) {
      if (typed.ending === 'prompt') typed = await this.#type(line);
    }
    clearTimeout(timer);
    this.#firstPrompt = typed.prompt;
    const said = this.#hide(typed.output.trim()).slice(-maxQuotedChars);
    switch (typed.ending) {
      case 'prompt':
        this.#isSetUp = true;
        return undefined;
      case 'closed':
        return {
          code: 'SESSION_REFUSED',
          reason: said === '' ? 'it ended the shell' : `it answered ${JSON.stringify(said)}`,
        };
      case 'deadline':
        return { code: 'CONNECT_FAILED', reason: `no prompt within ${timeoutMs} ms` };
      case 'full':
        return { code: 'PROTOCOL_FAILED', reason: 'its output does not end' };
    }
  }

  async run(call: WireCall, options: SendOptions): Promise<SendResult | 'stale'> {
    if (call.kind !== 'cli')
      return failed('PROTOCOL_FAILED', `Calls of kind ${call.kind} can't be sent to a command line.`);
    if ([...call.lines, call.guard?.line ?? ''].some((line) => controlCharacters.test(line))) {
      return failed('PROTOCOL_FAILED', 'A line has a control character: nothing was sent.');
    }
    const startedMs = performance.now();
    const timer = setTimeout(() => this.#reading?.ended('deadline'), options.deadlineMs);
    this.#roomBytes = options.maxReplyBytes ?? defaultMaxReplyBytes;
    try {
      return await this.#runGuarded(call, options, startedMs);
    } finally {
      clearTimeout(timer);
    }
  }

  /** `startedMs`: when the call began, guard included. */
  async #runGuarded({ guard, lines }: CliCall, options: SendOptions, startedMs: number): Promise<CliResult | 'stale'> {
    if (guard !== undefined) {
      const { beforeFirstByte: _ofTheCall, ...ofRead } = options;
      const looked = await this.#runBlock([guard.line], ofRead, startedMs);
      if (looked === 'stale') return looked;
      if (!looked.ok) return failed('CONNECT_FAILED', `The read before the call failed: ${looked.failure.message}`);
      if (looked.reply.truncated || !isAllowed(guard, looked.reply))
        return { ...looked, reply: { ...looked.reply, unsent: true } };
    }
    return this.#runBlock(lines, options, startedMs);
  }

  async #runBlock(lines: readonly string[], options: SendOptions, startedMs: number): Promise<CliResult | 'stale'> {
    const against = obstacle(options, this.lost);
    if (against !== undefined) return against;
    const outputs: { line: string; output: string }[] = [];
    let ending: Ending = 'prompt';
    for (const line of lines) {
      const typed = await this.#type(line);
      outputs.push({ line, output: typed.output });
      ending = typed.ending;
      if (ending !== 'prompt') break;
    }
    if (ending !== 'prompt') this.destroy();
    if (ending === 'deadline' || ending === 'closed') return { ok: false, failure: noVerdict(ending, options) };
    const reply = { kind: 'cli' as const, outputs, truncated: ending === 'full' };
    return { ok: true, reply, elapsedMs: performance.now() - startedMs };
  }

  /** A block that left the device at another prompt is followed by the lines that lead back. */
  async recover(): Promise<boolean> {
    const timer = setTimeout(() => this.#reading?.ended('deadline'), recoverTimeoutMs);
    this.#roomBytes = maxPlumbingBytes;
    for (const line of this.#dialect.reset ?? []) {
      if (this.#lastPrompt === this.#firstPrompt || this.lost) break;
      if ((await this.#type(line)).ending !== 'prompt') break;
    }
    clearTimeout(timer);
    return !this.lost && this.#lastPrompt === this.#firstPrompt;
  }

  end(): void {
    this.#client.end();
    const timer = setTimeout(resetSocket, endTimeoutMs, this.#socket);
    void this.closed.then(() => clearTimeout(timer));
  }

  destroy(): void {
    resetSocket(this.#socket);
  }

  #type(line: string): Promise<Typed> {
    const typed = this.#await(new CliOutput(this.#dialect, line, this.#prompts));
    inOneWrite(this.#socket, () => this.#channel.write(`${line}\n`));
    return typed;
  }

  #await(into: CliOutput): Promise<Typed> {
    return new Promise((resolve) => {
      const ended = (ending: Ending) => {
        clearTimeout(this.#quietTimer);
        this.#reading = undefined;
        const prompt = into.prompt();
        if (ending === 'prompt') this.#lastPrompt = prompt;
        resolve({ ending, output: into.output(), prompt });
      };
      this.#reading = { into, ended };
      if (this.lost) ended('closed');
    });
  }

  #read(chunk: Buffer): void {
    clearTimeout(this.#quietTimer);
    const text = this.#decoder.write(chunk);
    if (this.#reading === undefined) return;
    const { into, ended } = this.#reading;
    into.add(text);
    this.#roomBytes -= chunk.length;
    const waiting = into.waiting;
    if (this.#roomBytes < 0) ended('full');
    else if (waiting === 'prompt') ended('prompt');
    else if (waiting === 'perhaps') {
      this.#quietTimer = setTimeout(() => ended('prompt'), this.#prompts ? quietMs : firstQuietMs);
    } else if (waiting === 'pager') {
      into.passPager();
      this.#channel.write(this.#pager?.answer ?? ' ');
    }
  }

  #lose(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#reading?.ended('closed');
    this.destroy();
    if (this.#isSetUp) this.#lost();
  }
}

function noVerdict(ending: 'deadline' | 'closed', options: SendOptions): SendFailure {
  if (ending === 'deadline') {
    return { kind: 'NO_VERDICT', code: 'NO_REPLY', message: `No complete reply within ${options.deadlineMs} ms.` };
  }
  const message = 'The device ended the session before the reply was complete.';
  return { kind: 'NO_VERDICT', code: 'CONNECTION_LOST', message };
}
