// A client outside that queries each name server every 10 ms, with its own parser of answers (RFC 1035 section 4).
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

const usualAskMs = 10;
const host = '127.0.0.1';
const typeA = 1;

interface Seen {
  readonly atMs: number;
  readonly code: number;
  /** The addresses of the A records, sorted. */
  readonly addresses: readonly string[];
}

interface Asked {
  readonly name: string;
  readonly port: number;
  /** The queried name, without a final dot. */
  readonly fqdn: string;
}

interface Server extends Asked {
  readonly socket: Socket;
  last: Seen | undefined;
  /** The time from which it should answer. Undefined if it is down. */
  upMs: number | undefined;
  /** A gap is counted once. */
  told: boolean;
}

export interface OutsideOptions {
  /** By then a client that retries, as resolvers do, has an answer. */
  readonly answerMs: number;
  readonly found: (what: string) => void;
  /** Called for each answer. */
  readonly seen?: (server: string, seen: Seen) => void;
  /** Interval of the queries to each server; default 10. */
  readonly askMs?: number;
}

export class Outside {
  /** How often a server that was up did not answer for `answerMs`. */
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

  /** From now on faults count. */
  begin(): void {
    this.#begun = true;
  }

  async add(asked: Asked): Promise<void> {
    const socket = createSocket('udp4');
    const server: Server = { ...asked, socket, last: undefined, upMs: performance.now(), told: false };
    socket.on('message', (packet) => this.#take(server, packet));
    // Nobody is listening there right now.
    socket.on('error', () => undefined);
    socket.bind(0, host);
    await once(socket, 'listening');
    this.#servers.set(asked.name, server);
  }

  last(name: string): Seen | undefined {
    return this.#servers.get(name)?.last;
  }

  /** Whether the server should answer from now on. */
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
    // This process itself was delayed: missing answers prove nothing.
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

/** Throws if it is not an answer. */
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
