// The end of links at the role that decides. It accepts machines of one role by their certificates. The domain defines the meaning
// of each connection. Only a machine's newest connection counts, and the previous one is closed. While a machine is connected, another process
// with its credentials is refused: it is a copy.

import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { type WebSocket, WebSocketServer } from 'ws';
import { CountedLine } from '../log/counted-line.ts';
import type { Logger } from '../log/log.ts';
import { type MachineName, machineOf } from '../machines/machine.ts';
import { type MutualTls, pemOf } from '../machines/tls.ts';
import { requireOneHost } from '../net/one-host.ts';
import type { JsonValue } from '../values/json.ts';
import type { Position } from '../values/positions.ts';
import { Loop } from '../work/loop.ts';
import { Turns } from '../work/turns.ts';
import { atMost } from '../work/within.ts';
import {
  type FromMachine,
  linkVersion,
  type Mark,
  mostDocuments,
  mostFromMachineBytes,
  mostToMachineBytes,
  processHeader,
  readFromMachine,
  type ToMachine,
  usualSilentMs,
  versionOfHello,
} from './messages.ts';
import { LinkQuestions } from './questions.ts';
import { Silence } from './silence.ts';

export interface LinkPeer {
  readonly machine: MachineName;
  readonly facts: Readonly<Record<string, JsonValue>>;
  /** The positions of the documents that the machine has. */
  readonly held: ReadonlyMap<string, Position>;
  /**
   * Sends messages in order. A machine that reads too slowly is disconnected, so a caller that sends many messages awaits `taken`
   * between them.
   */
  send(message: Exclude<ToMachine, { readonly type: 'welcome' | 'mark' | 'stored' | 'ask' | 'answer' }>): void;
  /** @throws UnansweredError (questions.ts); the reason of `signal` when that is aborted */
  ask(body: JsonValue, deadlineMs: number, signal?: AbortSignal): Promise<JsonValue>;
  /** Resolves when there is room for more, or the connection has ended. */
  taken(): Promise<void>;
  /** Disconnects the machine, which then reconnects. */
  close(reason: string): void;
}

interface Session {
  /** Rises in the database with each connection of the machine. Reports of an older connection must not be stored. */
  readonly epoch: number;
  /** After the welcome: sends what the machine lacks. */
  begin(): void;
  /** Sends the whole document. */
  resend(key: string): void;
  /** Answers a question of the machine. If absent, the machine's questions fail at once. */
  answer?(body: JsonValue, signal: AbortSignal): Promise<JsonValue>;
  /** Resolves once the end of the connection is recorded, or can't be; never rejects. */
  closed(): Promise<void>;
}

/** The domain's handler of one connection. Each report waits for the previous one. */
export interface LinkSession extends Session {
  /** Resolves once the report is stored. Rejects to disconnect: the machine sends it again. */
  report(key: string, body: JsonValue): Promise<void>;
}

export interface LinkReport {
  readonly key: string;
  readonly body: JsonValue;
}

/** The same, where reports of different lanes do not wait for each other. */
export interface LanedSession extends Session {
  /** Returns the lane of a report by its key. */
  laneOf(key: string): string;
  /**
   * Stores the reports of a lane that arrived while earlier ones were being stored, in order. Resolves and rejects as above, for
   * all of these reports.
   */
  report(reports: readonly LinkReport[]): Promise<void>;
}

interface LinkServerOptions {
  readonly host: string;
  /** 0 for any. */
  readonly port: number;
  readonly tls: MutualTls;
  /** Of the machines that may connect. */
  readonly role: string;
  /** A machine counts as lost after this time without a sign of life. Default: 5000. It is asked for one five times as often. */
  readonly silentMs?: number;
  readonly log: Logger;
  readonly open: (peer: LinkPeer) => Promise<LinkSession | LanedSession>;
  /** Marks of the database behind `open`. If absent, machines get no marks. */
  readonly marks?: LinkMarks;
}

/** How far the database has come. Machines remember it, so that a database that was set back is noticed. */
export interface LinkMarks {
  readonly read: () => Promise<Mark>;
  /** Before a machine's session is opened. `remembered`: the highest mark that it was sent. */
  readonly check: (machine: MachineName, remembered: Mark) => Promise<void>;
}

/** Thrown by `open` if the machine may have no link now. The machine receives the reason, logs it, and tries again. */
export class LinkRefusal extends Error {
  override readonly name = 'LinkRefusal';
}

const helloMs = 5_000;
/** While more of a machine's messages wait, its connection is not read from: they then wait at the machine. */
const mostWaitingMessages = 1_000;
const mostWaitingBytes = 2 * mostFromMachineBytes;
/** There is room for more only while fewer bytes than this wait here for the machine. */
const mostWaitingToMachineBytes = mostToMachineBytes / 8;
const takenLookMs = 1;
const markEveryMs = 1_000;
const copiesLoggedMs = 60_000;
/** Lanes of one machine that store reports at the same time. Each takes a connection to the database. */
const lanesAtOnce = 2;
/** Reports of a lane. */
const mostTogether = 50;

export class LinkServer {
  readonly #options: LinkServerOptions;
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    maxPayload: mostFromMachineBytes,
    perMessageDeflate: false,
  });
  /** By the UUID of the machine. */
  readonly #links = new Map<string, ServedLink>();
  readonly #all = new Set<ServedLink>();
  readonly #copies: CountedLine;
  #marking: Loop | undefined;

  private constructor(options: LinkServerOptions) {
    this.#options = options;
    const { tls, role, log } = options;
    this.#copies = new CountedLine(
      log,
      'a second process with the credentials of a connected machine is refused: stop it, or revoke the machine and join it again',
      copiesLoggedMs,
    );
    const pem = { ...pemOf(tls), minVersion: 'TLSv1.3' } as const;
    this.#server = createServer({ ...pem, requestCert: true, rejectUnauthorized: true, headersTimeout: helloMs });
    tls.onChange?.(() => this.#server.setSecureContext({ ...pemOf(tls), minVersion: 'TLSv1.3' }));
    this.#server.prependListener('secureConnection', (socket: TLSSocket) => {
      const certificate = socket.getPeerCertificate();
      const reason = tls.peers?.refusal(certificate, role);
      if (reason === undefined) {
        tls.peers?.watch(socket, certificate);
        return;
      }
      log.warn({ reason, address: socket.remoteAddress }, 'a link of another machine is refused');
      socket.destroy();
    });
    this.#server.on('request', (_, response) => response.writeHead(404).end());
    requireOneHost(this.#server);
    this.#server.on('upgrade', (request, socket, head) => {
      const certificate = (request.socket as TLSSocket).getPeerCertificate();
      const machine = machineOf({ subjectAltName: certificate.subjectaltname });
      if (request.url !== '/link' || machine === undefined) socket.destroy();
      else {
        const named = request.headers[processHeader];
        const from = { address: request.socket.remoteAddress, ...(typeof named === 'string' ? { id: named } : {}) };
        this.#sockets.handleUpgrade(request, socket, head, (webSocket) => this.#accept(webSocket, machine, from));
      }
    });
  }

  /** Listens; rejects when the port is in use. */
  static async listen(options: LinkServerOptions): Promise<LinkServer> {
    const link = new LinkServer(options);
    await new Promise<void>((resolve, reject) => {
      link.#server.once('error', reject);
      link.#server.listen(options.port, options.host, resolve);
    });
    link.#startMarking();
    return link;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Machines that are connected. */
  get connected(): number {
    return this.#links.size;
  }

  /** Accepts no more, and sends the machines elsewhere. */
  async drain(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const link of this.#all) link.close(1001, 'this process stops');
    await this.#marking?.stop();
    this.#copies.flush();
    await atMost(usualSilentMs, Promise.all([...this.#all].map((link) => link.ended)));
    for (const link of this.#all) link.terminate();
    this.#server.closeAllConnections();
    await closed;
  }

  stop(): Promise<void> {
    return this.drain();
  }

  #startMarking(): void {
    const { marks, role, log } = this.#options;
    if (marks === undefined) return;
    this.#marking = new Loop({
      ...{ name: `marks for ${role}`, log, pauseMs: () => markEveryMs },
      run: async () => {
        if (this.#links.size === 0) return false;
        const mark = await marks.read();
        for (const link of this.#links.values()) link.mark(mark);
        return false;
      },
    });
    this.#marking.start();
  }

  #accept(socket: WebSocket, machine: MachineName, from: FarProcess): void {
    const known = this.#links.get(machine.id);
    if (known?.isOpen === true && known.from.id !== undefined && from.id !== undefined && known.from.id !== from.id) {
      const { name, role } = machine;
      this.#copies.add({ machine: name, role, address: from.address, connectedFrom: known.from.address });
      socket.on('error', () => undefined);
      socket.close(1008, `another process is connected as ${name}`.slice(0, 120));
      return;
    }
    const link = new ServedLink(socket, { machine, from }, this.#options, () => {
      // Its newest connection counts.
      this.#links.get(machine.id)?.close(1008, 'the machine has a newer connection');
      this.#links.set(machine.id, link);
    });
    this.#all.add(link);
    void link.ended.then(() => {
      this.#all.delete(link);
      if (this.#links.get(machine.id) === link) this.#links.delete(machine.id);
    });
  }
}

type FromMachineHello = Extract<FromMachine, { readonly type: 'hello' }>;
type FromMachineReport = Extract<FromMachine, { readonly type: 'report' }>;

interface WaitingReport extends LinkReport {
  readonly number: number;
  /** Length of the message. */
  readonly bytes: number;
}

interface Lane {
  readonly waiting: WaitingReport[];
  readonly done: Promise<void>;
}

const otherVersion = `this end speaks version ${linkVersion} of the link: run the same release on both`;

function isOtherVersion(text: string): boolean {
  const version = versionOfHello(text);
  return version !== undefined && version !== linkVersion;
}

function isLaned(session: LinkSession | LanedSession | undefined): session is LanedSession {
  return session !== undefined && 'laneOf' in session;
}

/** The process at the other end. */
interface FarProcess {
  readonly address: string | undefined;
  /** Undefined for one of an earlier version. */
  readonly id?: string;
}

class ServedLink {
  readonly from: FarProcess;
  readonly #socket: WebSocket;
  readonly #machine: MachineName;
  readonly #options: LinkServerOptions;
  readonly #opened: () => void;
  readonly ended: Promise<void>;
  readonly #questions: LinkQuestions;
  #session: LinkSession | LanedSession | undefined;
  /** Messages are handled one after the other. */
  #handling: Promise<void> = Promise.resolve();
  /** Reports that wait in each lane in which some are being stored. */
  readonly #lanes = new Map<string, Lane>();
  readonly #turns = new Turns(lanesAtOnce);
  #waiting = 0;
  #waitingBytes = 0;
  readonly #silence: Silence;

  constructor(
    socket: WebSocket,
    { machine, from }: { readonly machine: MachineName; readonly from: FarProcess },
    options: LinkServerOptions,
    opened: () => void,
  ) {
    this.#socket = socket;
    this.#machine = machine;
    this.from = from;
    this.#options = options;
    this.#opened = opened;
    const { log, silentMs = usualSilentMs } = options;
    this.#questions = new LinkQuestions({
      ...{ log, send: (message) => this.#send(message) },
      answer: async (body, signal) => {
        if (this.#session?.answer === undefined) throw new Error('no questions of this role are answered');
        return this.#session.answer(body, signal);
      },
    });
    const pingMs = silentMs / 5;
    this.#silence = new Silence(pingMs);
    const pinger = setInterval(() => this.#ping(silentMs), pingMs);
    this.ended = new Promise((resolve) => {
      socket.on('close', () => {
        clearInterval(pinger);
        this.#questions.end();
        const handled = () => Promise.all([this.#handling, ...[...this.#lanes.values()].map(({ done }) => done)]);
        void handled()
          .then(() => this.#session?.closed())
          .finally(resolve);
      });
    });
    socket.on('error', (error) => log.debug({ err: error, machine: machine.name }, 'a link failed'));
    socket.on('pong', () => this.#silence.heard());
    socket.on('message', (data, isBinary) => {
      this.#silence.heard();
      if (isBinary) return this.close(1003, 'a message is JSON text');
      this.#take(String(data));
    });
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason.slice(0, 120));
  }

  terminate(): void {
    this.#socket.terminate();
  }

  mark(mark: Mark): void {
    this.#send({ type: 'mark', mark });
  }

  #ping(silentMs: number): void {
    // Its signs of life are not read either.
    if (this.#socket.isPaused) this.#silence.heard();
    const silentFor = this.#silence.look();
    if (silentFor > silentMs || (this.#session === undefined && this.#waiting === 0 && silentFor > helloMs))
      this.terminate();
    else this.#socket.ping();
  }

  #take(text: string): void {
    this.#waiting += 1;
    this.#waitingBytes += text.length;
    this.#pace();
    const message = readFromMachine(text);
    const session = this.#session;
    if (message === undefined && isOtherVersion(text)) {
      this.close(1008, otherVersion);
      return;
    }
    if (message?.type === 'report' && isLaned(session)) this.#queue(session, message, text.length);
    else
      this.#handling = this.#handling
        .then(() => this.#handle(message))
        .catch((error: unknown) => this.#failed(error))
        .finally(() => this.#isHandled(1, text.length));
  }

  #queue(session: LanedSession, { number, key, body }: FromMachineReport, bytes: number): void {
    const name = session.laneOf(key);
    const known = this.#lanes.get(name);
    const waiting = known?.waiting ?? [];
    waiting.push({ number, key, body, bytes });
    if (known !== undefined) return;
    this.#lanes.set(name, { waiting, done: this.#store(session, name, waiting) });
  }

  /** Until none of the lane waits. */
  async #store(session: LanedSession, name: string, waiting: WaitingReport[]): Promise<void> {
    while (waiting.length > 0)
      await this.#turns.run(async () => {
        const some = waiting.splice(0, mostTogether);
        try {
          if (this.#socket.readyState !== this.#socket.OPEN) return;
          await session.report(some);
          for (const { number } of some) this.#send({ type: 'stored', number });
        } catch (error) {
          this.#failed(error);
        } finally {
          this.#isHandled(
            some.length,
            some.reduce((sum, { bytes }) => sum + bytes, 0),
          );
        }
      });
    // In the same step as the last check, so a report that arrives now starts a new run of the lane.
    this.#lanes.delete(name);
  }

  #failed(error: unknown): void {
    if (error instanceof LinkRefusal) this.close(1008, error.message);
    else {
      this.#options.log.warn(
        { err: error, machine: this.#machine.name },
        'a link is closed: its message was not handled',
      );
      this.close(1011, 'the message was not handled');
    }
  }

  #isHandled(messages: number, bytes: number): void {
    this.#waiting -= messages;
    this.#waitingBytes -= bytes;
    this.#pace();
  }

  #pace(): void {
    const full = Math.max(this.#waiting / mostWaitingMessages, this.#waitingBytes / mostWaitingBytes);
    if (full >= 1) this.#socket.pause();
    else if (full <= 0.5 && this.#socket.isPaused) this.#socket.resume();
  }

  async #handle(message: FromMachine | undefined): Promise<void> {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (message === undefined) return this.close(1008, 'not a message of a link');
    if (message.type === 'hello') return this.#hello(message);
    const session = this.#session;
    if (session === undefined) return this.close(1008, 'the first message is hello');
    if (message.type === 'ask' || message.type === 'answer') return this.#questions.take(message);
    if (message.type === 'resend') return session.resend(message.key);
    const { key, body } = message;
    await (isLaned(session) ? session.report([{ key, body }]) : session.report(key, body));
    this.#send({ type: 'stored', number: message.number });
  }

  async #hello(message: FromMachineHello): Promise<void> {
    if (this.#session !== undefined) return this.close(1008, 'hello was said before');
    if (message.version !== linkVersion) return this.close(1008, otherVersion);
    if (message.mark !== null) await this.#options.marks?.check(this.#machine, message.mark);
    const held = new Map(Object.entries(message.held).slice(0, mostDocuments));
    const session = await this.#options.open({
      ...{ machine: this.#machine, facts: message.facts, held },
      send: (sent) => this.#send(sent),
      ask: (body, deadlineMs, signal) => this.#questions.ask(body, deadlineMs, signal),
      taken: () => this.#taken(),
      close: (reason) => this.close(1008, reason),
    });
    this.#session = session;
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#opened();
    this.#send({ type: 'welcome', epoch: session.epoch });
    session.begin();
  }

  async #taken(): Promise<void> {
    do await sleep(takenLookMs);
    while (this.#socket.readyState === this.#socket.OPEN && this.#socket.bufferedAmount > mostWaitingToMachineBytes);
  }

  #send(message: ToMachine): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#socket.bufferedAmount > 4 * mostToMachineBytes) this.terminate();
    else this.#socket.send(JSON.stringify(message));
  }
}
