// The clients run in a thread. Each sends one request after the other within the budget, and logs the result.
import { type ClientHttp2Session, constants, connect as h2Connect } from 'node:http2';
import { type Socket, connect as tcpConnect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type TLSSocket, connect as tlsConnect } from 'node:tls';
import { parentPort, workerData } from 'node:worker_threads';
import { seededRandom } from '../random.ts';
import {
  allowed,
  type ClientData,
  type Flow,
  type FromClients,
  type Handshake,
  issued,
  type Logged,
  nowMs,
  saw,
  type ToClients,
} from './shared.ts';

const data = workerData as ClientData;
const { shared } = data;
const random = seededRandom(data.seed);
let addresses = data.addresses;

/** A client closes a connection that it has not used for this long, before the other side would. */
const idleMs = 2_000;
/** A stream ends with its member within the pool's `drainMs`, so its client keeps it no longer than this. */
const streamMs = 1_500;
const deadlineMs = 20_000;
const tellEveryMs = 100;
const refusedMs = 50;

/** Result of one request. `next`: the connection may be used again. `cookie`: set by the load balancer. */
interface Answered {
  readonly saw: number;
  readonly what?: string;
  readonly cookie?: string;
  readonly next: boolean;
}

interface Request {
  readonly path: string;
  readonly method: 'GET' | 'POST';
  readonly nonce: number;
  readonly cookie: string | undefined;
}

let logged: Logged[] = [];
let handshakes: Handshake[] = [];
const tell = (message: FromClients) => parentPort?.postMessage(message);
setInterval(() => {
  if (logged.length + handshakes.length === 0) return;
  tell({ is: 'logged', logged, handshakes });
  [logged, handshakes] = [[], []];
}, tellEveryMs).unref();

const waiting: (() => void)[] = [];
setInterval(() => {
  let free = Atomics.load(shared.budget, allowed) - Atomics.load(shared.budget, issued);
  for (; free > 0 && waiting.length > 0; free -= 1) waiting.splice(random.integer(0, waiting.length - 1), 1)[0]?.();
}, 2);

/** The nonce of the next request. Undefined if no request may be sent now. */
function take(): number | undefined {
  const nonce = Atomics.load(shared.budget, issued);
  if (nonce >= Atomics.load(shared.budget, allowed) || nonce >= shared.writes.length) return undefined;
  Atomics.store(shared.budget, issued, nonce + 1);
  return nonce;
}

const closing = new Set<number>();
const open = new Map<number, Promise<unknown>>();

parentPort?.on('message', (message: ToClients) => {
  switch (message.do) {
    case 'addresses':
      addresses = message.addresses;
      return;
    case 'open':
      open.set(message.flow.id, run(message.flow));
      return;
    case 'close':
      closing.add(message.flow);
      for (const release of waiting.splice(0)) release();
      void open.get(message.flow)?.then(() => tell({ is: 'closed', flow: message.flow }));
  }
});

function run(flow: Flow): Promise<unknown> {
  if (flow.kind === 'H2') {
    const session = new Session(flow);
    const clients = Array.from({ length: flow.width }, () => client(flow, () => session));
    return Promise.all(clients).then(() => session.end());
  }
  return Promise.all(
    Array.from({ length: flow.width }, () => {
      let connection: Connection | undefined;
      const current = () => {
        connection ??= new Connection(flow, () => (connection = undefined));
        return connection;
      };
      return client(flow, current).then(() => connection?.end());
    }),
  );
}

interface Sender {
  /** When it last knew the state of the other side. Undefined if it is not connected. */
  readonly knewMs: number | undefined;
  /** Address of the node that it last used. */
  readonly address: string;
  send(request: Request): Promise<Answered>;
}

/** The client's cookie, which names this member. */
interface Cookie {
  readonly text: string;
  readonly member: number;
}

async function client(flow: Flow, sender: () => Sender): Promise<void> {
  const cookies = new Map<number, Cookie>();
  while (!closing.has(flow.id)) {
    if (flow.pauseMs > 0) await sleep(flow.pauseMs * random.next() * 2);
    const nonce = take();
    if (nonce === undefined) {
      if (!closing.has(flow.id)) await new Promise<void>((resolve) => waiting.push(resolve));
      continue;
    }
    const route = random.pick(flow.routes);
    const method = random.next() < 0.3 ? 'POST' : 'GET';
    const one = sender();
    const sentMs = nowMs();
    // At the other side, an earlier worker of HAProxy may have waited for it, with the settings of the last use.
    const fromMs = Math.min(sentMs, one.knewMs ?? sentMs);
    const sent = cookies.get(route.id);
    const request: Request = { path: route.path, method, nonce, cookie: sent?.text };
    const answered = await one.send(request);
    const { what, cookie } = answered;
    if (flow.cookies && cookie !== undefined) cookies.set(route.id, { text: cookie, member: answered.saw });
    logged.push({
      route: route.id,
      fromMs,
      untilMs: nowMs(),
      saw: answered.saw,
      address: one.address,
      ...(sent === undefined ? {} : { cookieOf: sent.member }),
      ...(what === undefined ? {} : { what: `${method} ${flow.kind} ${what}` }),
    });
    if (method === 'POST' && data.repeatEvery !== undefined && nonce % data.repeatEvery === 0)
      await sender().send(request);
    // A disabled listener refuses at once, so its clients must not use up the budget.
    if (answered.saw === saw.closed) await sleep(refusedMs);
  }
}

function target(flow: Flow): { readonly host: string; readonly port: number; readonly localAddress: string } {
  return { host: random.pick(addresses), port: flow.port, localAddress: flow.localAddress };
}

function requestText({ path, method, nonce, cookie }: Request): string {
  const body = method === 'POST' ? `nonce ${nonce}` : '';
  const length = method === 'POST' ? `content-length: ${body.length}\r\n` : '';
  const held = cookie === undefined ? '' : `cookie: ${cookie}\r\n`;
  return `${method} ${path}?n=${nonce} HTTP/1.1\r\nhost: web.test\r\n${held}${length}\r\n${body}`;
}

/** Undefined if the load balancer sets none. */
function cookieIn(header: string | undefined): { readonly cookie?: string } {
  const [cookie] = /^SRV=[^;]+/.exec(header ?? '') ?? [];
  return cookie === undefined ? {} : { cookie };
}

/** The client that sent this nonce, with the information that the answer gives it. */
function read(status: number, body: string, nonce: number): Pick<Answered, 'saw' | 'what'> {
  if (status === 403) return { saw: saw.denied };
  if (status === 302) return { saw: saw.redirected };
  const [, member, echoed] = /^(\d+) (\S+)$/.exec(body) ?? [];
  if (status === 200 && echoed === String(nonce)) return { saw: Number(member) };
  return { saw: saw.failed, what: `${status} ${body.slice(0, 80).replaceAll(/\s+/g, ' ')}` };
}

/** HTTP/1.1 on one connection at a time, opened when needed. */
class Connection implements Sender {
  knewMs: number | undefined;
  address = '';
  readonly #flow: Flow;
  readonly #gone: () => void;
  readonly #requests: number;
  #socket: Socket | undefined;
  #text = '';
  #sent = 0;
  #changed: () => void = () => undefined;
  #error = '';

  constructor(flow: Flow, gone: () => void) {
    this.#flow = flow;
    this.#gone = gone;
    this.#requests = flow.kind === 'FRESH' ? 1 : random.integer(1, 200);
  }

  async send(request: Request): Promise<Answered> {
    const mostMs = this.#flow.isStream ? streamMs : idleMs;
    if (this.#socket !== undefined && nowMs() - (this.knewMs ?? 0) > mostMs) this.#leave();
    if (this.#socket === undefined) {
      this.knewMs = nowMs();
      const fault = await this.#connect();
      if (fault !== undefined) return this.#ended({ saw: saw.closed, what: fault, next: false });
    }
    this.#sent += 1;
    this.#text = '';
    this.#socket?.write(requestText(request), 'latin1');
    const answered = await this.#answer(request.nonce);
    if (!this.#flow.isStream) this.knewMs = nowMs();
    return this.#ended(answered);
  }

  end(): void {
    this.#leave();
    this.#gone();
  }

  #ended(answered: Answered): Answered {
    if (!answered.next || this.#sent >= this.#requests) this.end();
    return answered;
  }

  #leave(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
    this.knewMs = undefined;
  }

  /** The reason why it could not connect. Undefined if it is connected. */
  async #connect(): Promise<string | undefined> {
    const { serverNames } = this.#flow;
    const place = target(this.#flow);
    this.address = place.host;
    const servername = serverNames.length === 0 ? undefined : random.pick(serverNames);
    const startMs = nowMs();
    const socket =
      servername === undefined
        ? tcpConnect(place)
        : tlsConnect({ ...place, servername, ALPNProtocols: ['http/1.1'], rejectUnauthorized: false });
    this.#socket = socket;
    this.#error = '';
    let open = false;
    socket
      .setEncoding('latin1')
      .setNoDelay(true)
      .setTimeout(deadlineMs, () => socket.destroy(new Error('no answer in time')));
    socket.on('data', (chunk: string) => {
      this.#text += chunk;
      this.#changed();
    });
    socket.on('error', (error) => (this.#error = (error as NodeJS.ErrnoException).code ?? error.message));
    socket.on('close', () => {
      if (this.#socket === socket) this.#socket = undefined;
      this.#changed();
    });
    socket.once(servername === undefined ? 'connect' : 'secureConnect', () => {
      open = true;
      this.#changed();
    });
    while (!open && this.#socket === socket) await this.#change();
    if (!open) return `no connection: ${this.#error || 'it was closed'}`;
    if (servername !== undefined) noteHandshake(place.host, this.#flow, servername, startMs, socket as TLSSocket);
    return undefined;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => (this.#changed = resolve));
  }

  async #answer(nonce: number): Promise<Answered> {
    for (;;) {
      const end = this.#text.indexOf('\r\n\r\n');
      if (end >= 0) {
        const head = this.#text.slice(0, end);
        const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
        if (this.#text.length >= end + 4 + length) {
          const body = this.#text.slice(end + 4, end + 4 + length);
          const next = this.#socket !== undefined && !/\r\nconnection: *close/i.test(head);
          const [, set] = /\r\nset-cookie: *([^\r]+)/i.exec(head) ?? [];
          return { ...read(Number(head.slice(9, 12)), body, nonce), ...cookieIn(set), next };
        }
      }
      if (this.#socket === undefined) {
        const what = `request ${this.#sent} of its connection: ${this.#error || 'closed'} after ${this.#text.length} bytes`;
        return { saw: this.#text === '' ? saw.closed : saw.failed, what, next: false };
      }
      await this.#change();
    }
  }
}

/** One session at a time with several streams. After GOAWAY, the next requests use a new session. */
class Session implements Sender {
  knewMs: number | undefined;
  address = '';
  readonly #flow: Flow;
  #session: ClientHttp2Session | undefined;
  /** Sessions with GOAWAY. Streams after this one were not accepted. */
  readonly #leaving = new WeakMap<ClientHttp2Session, number>();

  constructor(flow: Flow) {
    this.#flow = flow;
  }

  async send(request: Request): Promise<Answered> {
    for (let tries = 1; ; tries += 1) {
      const answered = await this.#try(request);
      if (answered !== 'REFUSED') return answered;
      if (tries === 10) return { saw: saw.failed, what: 'refused ten times', next: false };
    }
  }

  end(): void {
    this.#session?.destroy();
    this.#session = undefined;
  }

  #open(): ClientHttp2Session {
    const known = this.#session;
    if (known !== undefined && nowMs() - (this.knewMs ?? 0) > idleMs) {
      known.close();
      this.#session = undefined;
    }
    if (this.#session !== undefined) return this.#session;
    const { host, port } = target(this.#flow);
    const servername = random.pick(this.#flow.serverNames);
    const startMs = nowMs();
    const session = h2Connect(`https://${host}:${port}`, { servername, rejectUnauthorized: false });
    const left = () => {
      if (this.#session === session) this.#session = undefined;
    };
    session.on('connect', (_, socket) => noteHandshake(host, this.#flow, servername, startMs, socket as TLSSocket));
    session.on('goaway', (_, last) => {
      this.#leaving.set(session, last);
      left();
    });
    session.on('close', left).on('error', left);
    session.setTimeout(deadlineMs, () => session.destroy(new Error('no answer in time')));
    this.#session = session;
    this.address = host;
    this.knewMs = startMs;
    return session;
  }

  #try({ path, method, nonce, cookie }: Request): Promise<Answered | 'REFUSED'> {
    const session = this.#open();
    return new Promise((resolve) => {
      let status = 0;
      let set: string | undefined;
      let body = '';
      let stream: ReturnType<ClientHttp2Session['request']>;
      try {
        const length = method === 'POST' ? { 'content-length': `nonce ${nonce}`.length } : {};
        const held = cookie === undefined ? {} : { cookie };
        const head = { ':path': `${path}?n=${nonce}`, ':method': method, ':authority': 'web.test', ...held, ...length };
        stream = session.request(head);
      } catch {
        // The request was never sent, because the session has ended.
        if (this.#session === session) this.#session = undefined;
        return resolve('REFUSED');
      }
      let error: NodeJS.ErrnoException | undefined;
      stream.on('response', (headers) => {
        status = Number(headers[':status']);
        set = headers['set-cookie']?.[0];
      });
      stream.setEncoding('latin1').on('data', (chunk: string) => (body += chunk));
      stream.on('error', (cause: NodeJS.ErrnoException) => (error = cause));
      const ended = () => {
        // RFC 9113, section 6.8: a stream after the last one in GOAWAY may be sent again. HAProxy also refuses other streams, for example
        // if a member closed the connection, perhaps after it had done its work.
        const last = this.#leaving.get(session);
        const isRefused = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM && last !== undefined;
        const isAfter = last !== undefined && (stream.id ?? Number.POSITIVE_INFINITY) > last;
        if (status === 0 && (isRefused || isAfter)) return resolve('REFUSED');
        if (!this.#flow.isStream) this.knewMs = nowMs();
        if (status === 0) {
          const what = `${error?.code ?? ''} ${error?.message ?? 'closed'} (${stream.rstCode})`;
          return resolve({ saw: saw.closed, what, next: true });
        }
        resolve({ ...read(status, body, nonce), ...cookieIn(set), next: true });
      };
      // A GOAWAY that arrives together with the end is reported a moment later.
      stream.on('close', () => (status === 0 ? setImmediate(ended) : ended()));
      stream.end(method === 'POST' ? `nonce ${nonce}` : undefined);
    });
  }
}

function noteHandshake(address: string, flow: Flow, serverName: string, fromMs: number, socket: TLSSocket): void {
  const certificate = socket.getPeerX509Certificate()?.fingerprint256.replaceAll(':', '').toLowerCase() ?? '';
  handshakes.push({ address, port: flow.port, serverName, fromMs, untilMs: nowMs(), certificate });
}
