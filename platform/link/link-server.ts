// The end of links at the role that decides. It accepts machines of one role by their certificates; a domain says what each connection
// means. A machine's newest connection counts: the one before is closed.
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { type WebSocket, WebSocketServer } from 'ws';
import { type MutualTls, pemOf } from '../graph/tls.ts';
import type { JsonValue } from '../json.ts';
import type { Logger } from '../log.ts';
import { type MachineName, machineOf } from '../machines/machine.ts';
import { atMost } from '../within.ts';
import {
  linkVersion,
  mostDocuments,
  mostFromMachineBytes,
  mostToMachineBytes,
  readFromMachine,
  type ToMachine,
  usualSilentMs,
} from './messages.ts';

export interface LinkPeer {
  readonly machine: MachineName;
  readonly facts: Readonly<Record<string, JsonValue>>;
  /** The documents that the machine has, with their generations. */
  readonly held: ReadonlyMap<string, number>;
  /** In order. A machine that reads too slowly is disconnected: who sends much waits for `taken` in between. */
  send(message: Exclude<ToMachine, { readonly type: 'welcome' | 'stored' }>): void;
  /** Resolves when there is room for more, or the connection has ended. */
  taken(): Promise<void>;
  /** Disconnects the machine; it comes back. */
  close(reason: string): void;
}

/** What a domain does with one connection. */
export interface LinkSession {
  /** Rises with each connection of the machine, in the database: what an older one reports must not be stored. */
  readonly epoch: number;
  /** After the welcome: sends what the machine lacks. */
  begin(): void;
  /** Resolves once the report is stored. Rejects to disconnect: the machine sends it again. */
  report(key: string, body: JsonValue): Promise<void>;
  /** Sends the whole document. */
  resend(key: string): void;
  /** Resolves once the end of the connection is recorded, or can't be; never rejects. */
  closed(): Promise<void>;
}

export interface LinkServerOptions {
  readonly host: string;
  /** 0 for any. */
  readonly port: number;
  readonly tls: MutualTls;
  /** Of the machines that may connect. */
  readonly role: string;
  /** Without a sign of life for so long, a machine is taken for lost; default 5000. It is asked for one five times as often. */
  readonly silentMs?: number;
  readonly log: Logger;
  readonly open: (peer: LinkPeer) => Promise<LinkSession>;
}

const helloMs = 5_000;
/** While more of a machine's messages wait, its connection is not read from: they then wait at the machine. */
const mostWaitingMessages = 1_000;
const mostWaitingBytes = 2 * mostFromMachineBytes;
/** While more of what a machine is sent waits here, there is no room for more. */
const mostWaitingToMachineBytes = mostToMachineBytes / 8;
const takenLookMs = 1;

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

  private constructor(options: LinkServerOptions) {
    this.#options = options;
    const { tls, role, log } = options;
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
    this.#server.on('upgrade', (request, socket, head) => {
      const certificate = (request.socket as TLSSocket).getPeerCertificate();
      const machine = machineOf({ subjectAltName: certificate.subjectaltname });
      if (request.url !== '/link' || machine === undefined) socket.destroy();
      else this.#sockets.handleUpgrade(request, socket, head, (webSocket) => this.#accept(webSocket, machine));
    });
  }

  /** Listens; rejects when the port is in use. */
  static async listen(options: LinkServerOptions): Promise<LinkServer> {
    const link = new LinkServer(options);
    await new Promise<void>((resolve, reject) => {
      link.#server.once('error', reject);
      link.#server.listen(options.port, options.host, resolve);
    });
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
    await atMost(usualSilentMs, Promise.all([...this.#all].map((link) => link.ended)));
    for (const link of this.#all) link.terminate();
    this.#server.closeAllConnections();
    await closed;
  }

  stop(): Promise<void> {
    return this.drain();
  }

  #accept(socket: WebSocket, machine: MachineName): void {
    const link = new ServedLink(socket, machine, this.#options, () => {
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

class ServedLink {
  readonly #socket: WebSocket;
  readonly #machine: MachineName;
  readonly #options: LinkServerOptions;
  readonly #opened: () => void;
  readonly ended: Promise<void>;
  #session: LinkSession | undefined;
  /** Messages are handled one after the other. */
  #handling: Promise<void> = Promise.resolve();
  #waiting = 0;
  #waitingBytes = 0;
  #heardMs = performance.now();

  constructor(socket: WebSocket, machine: MachineName, options: LinkServerOptions, opened: () => void) {
    this.#socket = socket;
    this.#machine = machine;
    this.#options = options;
    this.#opened = opened;
    const { log, silentMs = usualSilentMs } = options;
    const pinger = setInterval(() => this.#ping(silentMs), silentMs / 5);
    this.ended = new Promise((resolve) => {
      socket.on('close', () => {
        clearInterval(pinger);
        void this.#handling.then(() => this.#session?.closed()).finally(resolve);
      });
    });
    socket.on('error', (error) => log.debug({ err: error, machine: machine.name }, 'a link failed'));
    socket.on('pong', () => this.#heard());
    socket.on('message', (data, isBinary) => {
      this.#heard();
      if (isBinary) return this.close(1003, 'a message is JSON text');
      this.#take(String(data));
    });
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason.slice(0, 120));
  }

  terminate(): void {
    this.#socket.terminate();
  }

  #heard(): void {
    this.#heardMs = performance.now();
  }

  #ping(silentMs: number): void {
    // Its signs of life are not read either.
    if (this.#socket.isPaused) this.#heard();
    const silentFor = performance.now() - this.#heardMs;
    if (silentFor > silentMs || (this.#session === undefined && this.#waiting === 0 && silentFor > helloMs))
      this.terminate();
    else this.#socket.ping();
  }

  #take(text: string): void {
    this.#waiting += 1;
    this.#waitingBytes += text.length;
    this.#pace();
    this.#handling = this.#handling
      .then(() => this.#handle(text))
      .catch((error: unknown) => {
        this.#options.log.warn(
          { err: error, machine: this.#machine.name },
          'a link is closed: its message was not handled',
        );
        this.close(1011, 'the message was not handled');
      })
      .finally(() => {
        this.#waiting -= 1;
        this.#waitingBytes -= text.length;
        this.#pace();
      });
  }

  #pace(): void {
    const full = Math.max(this.#waiting / mostWaitingMessages, this.#waitingBytes / mostWaitingBytes);
    if (full >= 1) this.#socket.pause();
    else if (full <= 0.5 && this.#socket.isPaused) this.#socket.resume();
  }

  async #handle(text: string): Promise<void> {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    const message = readFromMachine(text);
    if (message === undefined) return this.close(1008, 'not a message of a link');
    if (message.type === 'hello') return this.#hello(message);
    const session = this.#session;
    if (session === undefined) return this.close(1008, 'the first message is hello');
    if (message.type === 'resend') return session.resend(message.key);
    await session.report(message.key, message.body);
    this.#send({ type: 'stored', number: message.number });
  }

  async #hello(message: { version: number; facts: LinkPeer['facts']; held: Record<string, number> }): Promise<void> {
    if (this.#session !== undefined) return this.close(1008, 'hello was said before');
    if (message.version !== linkVersion)
      return this.close(1008, `this end speaks version ${linkVersion} of the link: run the same release on both`);
    const held = new Map(Object.entries(message.held).slice(0, mostDocuments));
    const session = await this.#options.open({
      ...{ machine: this.#machine, facts: message.facts, held },
      send: (sent) => this.#send(sent),
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
