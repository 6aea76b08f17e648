// The end of a link at a machine without a database. It connects outwards to one of the given places, keeps the connection, takes
// documents in order, and sends each report until it is stored. Without a connection the machine goes on with the documents it has.
import { WebSocket } from 'ws';
import type { Logger } from '../log/log.ts';
import { clientOptions, type MutualTls } from '../machines/tls.ts';
import { newUuid } from '../values/ids.ts';
import type { JsonValue } from '../values/json.ts';
import { comparePositions, type Position } from '../values/positions.ts';
import { Loop } from '../work/loop.ts';
import {
  type FromMachine,
  linkVersion,
  type Mark,
  mostDocuments,
  mostToMachineBytes,
  processHeader,
  readToMachine,
  type ToMachine,
  usualSilentMs,
} from './messages.ts';
import { type AnswerQuestion, LinkQuestions, UnansweredError } from './questions.ts';
import { Silence } from './silence.ts';

/** The documents that the machine keeps, on disk: they must survive it. */
export interface LinkDocuments {
  /** Their positions, by key. */
  held(): ReadonlyMap<string, Position>;
  put(key: string, position: Position, document: JsonValue): Promise<void>;
  /** Returns false if the change does not follow the document. */
  change(key: string, change: Readonly<Record<string, JsonValue>>): Promise<boolean>;
  remove(key: string): Promise<void>;
}

interface LinkClientOptions {
  /** Each is wss://HOST:PORT/link. Tried in turn, also after a connection was lost. */
  readonly urls: readonly string[];
  /** The other end counts as lost after this time without a sign of life. Default: 5000. At least twice the time between its pings. */
  readonly silentMs?: number;
  /** The role of the other end's machine. */
  readonly role: string;
  readonly tls: MutualTls;
  readonly log: Logger;
  readonly documents: LinkDocuments;
  /** Called when the machine has all its documents. Anything that no document names then belongs to nobody. */
  readonly whole?: () => void;
  /** Properties and resources of this machine. Read at each connection. */
  readonly facts: () => Readonly<Record<string, JsonValue>>;
  /** The last report with this key is stored. */
  readonly stored?: (key: string) => void;
  /** Answers a question of the other end. If absent, the other end's questions fail at once. */
  readonly answer?: AnswerQuestion;
  /** UUID of the process. Default: one of this process. */
  readonly processId?: string;
}

interface Report {
  readonly number: number;
  readonly body: JsonValue;
}

const thisProcess = newUuid();
const firstPauseMs = 200;
const longestPauseMs = 5_000;
/** The other end closes a link with it that this machine may not have (RFC 6455 section 7.4.1). */
const refusedCode = 1008;

export class LinkClient {
  readonly #options: LinkClientOptions;
  readonly #loop: Loop;
  readonly #questions: LinkQuestions;
  readonly #reports = new Map<string, Report>();
  /** The number of each key's unanswered report. At most one per key is under way, so a key with frequent reports delays no other key. */
  readonly #sent = new Map<string, number>();
  #socket: WebSocket | undefined;
  #welcomed = false;
  /** The reason of the last refusal since the last link. */
  #refusal: string | undefined;
  #number = 0;
  #mark: Mark | undefined;
  #attempts = 0;
  /** Index in `urls` for the next connection. */
  #place = 0;

  constructor(options: LinkClientOptions) {
    this.#options = options;
    const { log, answer } = options;
    this.#questions = new LinkQuestions({ log, answer, send: (message) => this.#send(message) });
    this.#loop = new Loop({
      name: `link to ${options.role}`,
      log: options.log,
      pauseMs: () => this.#pauseMs(),
      run: async (signal) => {
        await this.#connection(signal);
        return false;
      },
    });
  }

  /** True between the welcome and the end of a connection. */
  get connected(): boolean {
    return this.#welcomed;
  }

  /** Reports that are not stored yet. */
  get waiting(): number {
    return this.#reports.size;
  }

  start(): void {
    this.#loop.start();
  }

  async stop(): Promise<void> {
    this.#socket?.close(1000);
    await this.#loop.stop();
  }

  /** The state of something: it replaces an earlier report with the same key that is not stored yet. */
  report(key: string, body: JsonValue): void {
    this.#number += 1;
    const report = { number: this.#number, body };
    // Last: reports are sent in the order of their last change.
    this.#reports.delete(key);
    this.#reports.set(key, report);
    for (const oldest of this.#reports.keys()) {
      if (this.#reports.size <= 2 * mostDocuments) break;
      this.#reports.delete(oldest);
    }
    if (this.#welcomed && !this.#sent.has(key)) this.#sendReport(key, report);
  }

  /** Reports under this key are not sent on a later connection. */
  withdraw(key: string): void {
    this.#reports.delete(key);
  }

  /** Reports that a document is not here. */
  resend(key: string): void {
    if (this.#welcomed) this.#send({ type: 'resend', key });
  }

  /** @throws UnansweredError, or the reason of `signal` if it is aborted */
  async ask(body: JsonValue, deadlineMs: number, signal?: AbortSignal): Promise<JsonValue> {
    if (!this.#welcomed) throw new UnansweredError('there is no connection to the other end');
    return this.#questions.ask(body, deadlineMs, signal);
  }

  /** Ends the connection; the next one is made soon. */
  reconnect(): void {
    this.#socket?.terminate();
  }

  #pauseMs(): number {
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(this.#attempts, 10));
    // Many machines that lost the same place do not come back at once.
    return pauseMs * (0.5 + Math.random() / 2);
  }

  /** One connection, from the attempt to its end. */
  #connection(signal: AbortSignal): Promise<void> {
    const { urls, tls, role, log, silentMs = usualSilentMs, processId = thisProcess } = this.#options;
    const url = urls[this.#place % urls.length] ?? '';
    // A paused endpoint still accepts connections, so another one is tried soon. One that is only slow has longer each time.
    const openMs = Math.min(silentMs * 2 ** Math.min(this.#attempts, 10), Math.max(silentMs, longestPauseMs));
    this.#place += 1;
    this.#attempts += 1;
    const socket = new WebSocket(url, {
      ...clientOptions(tls, role),
      headers: { [processHeader]: processId },
      minVersion: 'TLSv1.3',
      maxPayload: mostToMachineBytes,
      perMessageDeflate: false,
      handshakeTimeout: openMs,
    });
    this.#socket = socket;
    const opening = setTimeout(() => socket.terminate(), 2 * openMs);
    const lookMs = silentMs / 10;
    const silence = new Silence(lookMs);
    let watch: NodeJS.Timeout | undefined;
    const heard = () => {
      clearTimeout(opening);
      silence.heard();
      watch ??= setInterval(() => {
        if (silence.look() > silentMs) socket.terminate();
      }, lookMs);
    };
    let handling = Promise.resolve();
    return new Promise((resolve) => {
      const abort = () => socket.terminate();
      signal.addEventListener('abort', abort, { once: true });
      socket.on('open', () => {
        heard();
        const held = Object.fromEntries([...this.#options.documents.held()].slice(0, mostDocuments));
        this.#send({
          type: 'hello',
          version: linkVersion,
          facts: this.#options.facts(),
          held,
          mark: this.#mark ?? null,
        });
      });
      socket.on('ping', heard);
      socket.on('error', (error) => log.debug({ err: error, url }, 'a link failed'));
      socket.on('message', (data) => {
        heard();
        handling = handling
          .then(() => this.#take(String(data)))
          .catch((error: unknown) => {
            log.warn({ err: error, url }, 'a link is closed: a document was not taken');
            socket.terminate();
          });
      });
      socket.on('close', (code, reason) => {
        clearTimeout(opening);
        clearInterval(watch);
        signal.removeEventListener('abort', abort);
        if (this.#welcomed) log.warn({ url, code, reason: String(reason) }, 'the link was lost');
        else if (code === refusedCode) this.#toldRefused(url, String(reason));
        this.#welcomed = false;
        this.#sent.clear();
        this.#questions.end();
        this.#socket = undefined;
        void handling.then(resolve);
      });
    });
  }

  /** Once for each reason: it tries again and again. */
  #toldRefused(url: string, reason: string): void {
    if (reason === this.#refusal) return;
    this.#refusal = reason;
    this.#options.log.warn({ url, reason }, 'the other end refuses a link to this machine');
  }

  async #take(text: string): Promise<void> {
    const message = readToMachine(text);
    if (message === undefined) throw new Error('the other end sent something that is not a message of a link');
    await this.#handle(message);
  }

  async #handle(message: ToMachine): Promise<void> {
    const { documents, log } = this.#options;
    switch (message.type) {
      case 'welcome':
        this.#welcomed = true;
        this.#refusal = undefined;
        this.#attempts = 0;
        log.info({ epoch: message.epoch }, 'the link is up');
        for (const [key, report] of this.#reports) this.#sendReport(key, report);
        break;
      case 'document':
        await documents.put(message.key, message.position, message.document);
        break;
      case 'change':
        if (!(await documents.change(message.key, message.change))) this.resend(message.key);
        break;
      case 'gone':
        await documents.remove(message.key);
        break;
      case 'mark':
        if (this.#mark === undefined || comparePositions(this.#mark.position, message.mark.position) !== 'AHEAD')
          this.#mark = message.mark;
        break;
      case 'whole':
        this.#options.whole?.();
        break;
      case 'stored':
        this.#stored(message.number);
        break;
      case 'ask':
      case 'answer':
        this.#questions.take(message);
        break;
    }
  }

  #stored(number: number): void {
    const [key] = [...this.#sent].find(([, sent]) => sent === number) ?? [];
    if (key === undefined) return;
    this.#sent.delete(key);
    const last = this.#reports.get(key);
    if (last?.number === number) {
      this.#reports.delete(key);
      this.#options.stored?.(key);
    } else if (last !== undefined) this.#sendReport(key, last);
  }

  #sendReport(key: string, { number, body }: Report): void {
    this.#sent.set(key, number);
    this.#send({ type: 'report', number, key, body });
  }

  #send(message: FromMachine): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }
}
