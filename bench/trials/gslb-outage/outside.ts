// A client outside, which asks each name server every 10 ms, with a reader of answers of its own (RFC 1035 section 4).
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

const usualAskMs = 10;
const host = '127.0.0.1';
const typeA = 1;

export interface Seen {
  readonly atMs: number;
  readonly code: number;
  /** Of the A records, sorted. */
  readonly addresses: readonly string[];
}

export interface Asked {
  readonly name: string;
  readonly port: number;
  /** The question, without a final dot. */
  readonly fqdn: string;
}

interface Server extends Asked {
  readonly socket: Socket;
  last: Seen | undefined;
  /** Since then it should answer; undefined: it is down. */
  upMs: number | undefined;
  /** A gap is counted once. */
  told: boolean;
}

export interface OutsideOptions {
  /** Who asks again, as resolvers do, has an answer by then. */
  readonly answerMs: number;
  readonly found: (what: string) => void;
  /** Each answer. */
  readonly seen?: (server: string, seen: Seen) => void;
  /** Each server is asked so often; default 10. */
  readonly askMs?: number;
}

export class Outside {
  /** Times in which a server that was up gave no answer for `answerMs`. */
  unanswered = 0;
  /** Answers without an address, or with an error. */
  emptyAnswers = 0;
  questions = 0;
  readonly #options: OutsideOptions;
  readonly #servers = new Map<string, Server>();
  #timer: NodeJS.Timeout | undefined;
  #tickedMs = performance.now();
  #begun = false;

  constructor(options: OutsideOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#tick(), options.askMs ?? usualAskMs);
  }

  get names(): readonly string[] {
    return [...this.#servers.keys()];
  }

  /** From now on what is wrong counts. */
  begin(): void {
    this.#begun = true;
  }

  async add(asked: Asked): Promise<void> {
    const socket = createSocket('udp4');
    const server: Server = { ...asked, socket, last: undefined, upMs: performance.now(), told: false };
    socket.on('message', (packet) => this.#take(server, packet));
    // Nobody listens there just now.
    socket.on('error', () => undefined);
    socket.bind(0, host);
    await once(socket, 'listening');
    this.#servers.set(asked.name, server);
  }

  last(name: string): Seen | undefined {
    return this.#servers.get(name)?.last;
  }

  /** Whether the server is to answer from now on. */
  expect(name: string, isUp: boolean): void {
    const server = this.#servers.get(name);
    if (server !== undefined) server.upMs = isUp ? performance.now() : undefined;
  }

  close(): void {
    clearInterval(this.#timer);
    for (const { socket } of this.#servers.values()) socket.close();
  }

  #tick(): void {
    const now = performance.now();
    const { answerMs, found } = this.#options;
    // This process was held up itself: what it did not see says nothing.
    const late = now - this.#tickedMs > answerMs / 4;
    this.#tickedMs = now;
    for (const server of this.#servers.values()) {
      if (late && server.upMs !== undefined) server.upMs = now;
      const sinceMs = server.upMs === undefined ? undefined : Math.max(server.upMs, server.last?.atMs ?? 0);
      if (!this.#begun || sinceMs === undefined || now - sinceMs <= answerMs) server.told = false;
      else if (!server.told) {
        server.told = true;
        this.unanswered += 1;
        found(`${server.name} gave no answer for ${answerMs} ms`);
      }
      this.questions += 1;
      server.socket.send(question(this.questions & 0xffff, server.fqdn), server.port, host, () => undefined);
    }
  }

  #take(server: Server, packet: Buffer): void {
    const seen = { ...readAnswer(packet), atMs: performance.now() };
    server.last = seen;
    this.#options.seen?.(server.name, seen);
    if (!this.#begun || (seen.code === 0 && seen.addresses.length > 0)) return;
    this.emptyAnswers += 1;
    this.#options.found(`${server.name} answered ${server.fqdn} with code ${seen.code} and no address`);
  }
}

function question(id: number, fqdn: string): Buffer {
  const labels = fqdn.split('.').flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]);
  const head = Buffer.from([id >> 8, id & 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([head, ...labels, Buffer.from([0, 0, typeA, 0, 1])]);
}

/** Throws when it is no answer. */
function readAnswer(packet: Buffer): Omit<Seen, 'atMs'> {
  const addresses: string[] = [];
  let at = afterName(packet, 12) + 4;
  for (let left = packet.readUInt16BE(6); left > 0; left -= 1) {
    at = afterName(packet, at);
    const [type, length] = [packet.readUInt16BE(at), packet.readUInt16BE(at + 8)];
    at += 10;
    if (type === typeA) addresses.push([...packet.subarray(at, at + 4)].join('.'));
    at += length;
  }
  return { code: packet.readUInt8(3) & 0xf, addresses: addresses.sort() };
}

function afterName(packet: Buffer, from: number): number {
  for (let at = from; ; ) {
    const length = packet.readUInt8(at);
    if (length >= 0xc0) return at + 2;
    at += 1 + length;
    if (length === 0) return at;
  }
}
