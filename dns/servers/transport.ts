// One DNS request to a server and its response: over UDP, or over TCP (RFC 7766) if the request is too long or UDP got no answer.
import { createSocket } from 'node:dgram';
import { connect, isIP, isIPv6 } from 'node:net';
import { TooLateError, within } from '../../platform/work/within.ts';
import { DnsError } from './dns-error.ts';

export interface ServerPlace {
  /** An IP address. */
  readonly address: string;
  readonly port: number;
}

/** ADDRESS:PORT, [ADDRESS]:PORT with IPv6. */
export function nameOfPlace({ address, port }: ServerPlace): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** ADDRESS:PORT, [ADDRESS]:PORT with IPv6. Undefined if the text is not a place. */
export function placeOf(text: string): ServerPlace | undefined {
  const [, six, four, digits] = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+)):(\d{1,5})$/i.exec(text) ?? [];
  const address = six ?? four ?? '';
  const port = Number(digits);
  return isIP(address) === (six === undefined ? 4 : 6) && port >= 1 && port <= 65_535 ? { address, port } : undefined;
}

interface ExchangeOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** RFC 1035 section 4.2.1, without EDNS. */
export const longestUdpBytes = 512;
const lengthBytes = 2;

/** The first message that `accept` takes. Drops others, because anybody may send them. Undefined if no reply came or none is possible. */
export async function askUdp(
  place: ServerPlace,
  message: Buffer,
  accept: (answer: Buffer) => boolean,
  { timeoutMs, signal }: ExchangeOptions,
): Promise<Buffer | undefined> {
  signal.throwIfAborted();
  const { address, port } = place;
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
  const giveUp = () => resolve(undefined);
  const timer = setTimeout(giveUp, timeoutMs);
  signal.addEventListener('abort', giveUp, { once: true });
  socket.on('error', giveUp);
  socket.on('message', (answer) => {
    if (accept(answer)) resolve(answer);
  });
  // Connected, so that the kernel accepts only packets from that address and port, and reports a closed port.
  socket.connect(port, address, (error?: Error) => {
    if (error === undefined || error === null) socket.send(message);
  });
  try {
    const answer = await promise;
    signal.throwIfAborted();
    return answer;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', giveUp);
    socket.close();
  }
}

/** Throws DnsError UNREACHABLE, TIMED_OUT, BAD_ANSWER. */
export async function askTcp(
  place: ServerPlace,
  message: Buffer,
  { timeoutMs, signal }: ExchangeOptions,
): Promise<Buffer> {
  const socket = connect({ host: place.address, port: place.port, noDelay: true });
  // Errors after the outcome have no reader.
  socket.on('error', () => undefined);
  try {
    return await within(timeoutMs, 'there was no answer', () => firstMessage(socket, message), signal);
  } catch (error) {
    if (error instanceof TooLateError) throw new DnsError('TIMED_OUT', error.message, { cause: error });
    throw error;
  } finally {
    socket.destroy();
  }
}

function firstMessage(socket: ReturnType<typeof connect>, message: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let got = Buffer.alloc(0);
    socket.once('error', (error: NodeJS.ErrnoException) =>
      reject(new DnsError('UNREACHABLE', `no connection (${error.code ?? error.message})`, { cause: error })),
    );
    socket.once('close', () => reject(new DnsError('BAD_ANSWER', 'the connection was closed before an answer')));
    socket.on('data', (part: Buffer) => {
      got = Buffer.concat([got, part]);
      const end = got.length < lengthBytes ? undefined : lengthBytes + got.readUInt16BE(0);
      if (end !== undefined && got.length >= end) resolve(got.subarray(lengthBytes, end));
    });
    socket.once('connect', () => {
      const length = Buffer.alloc(lengthBytes);
      length.writeUInt16BE(message.length);
      socket.write(Buffer.concat([length, message]));
    });
  });
}
