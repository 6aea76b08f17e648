// A slow, broken or foreign server answers at the address. The publisher reports it in time, and does not trust it.
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { Rfc2136Server } from '../../dns/servers/rfc2136-server.ts';
import type { TsigKey } from '../../dns/wire/tsig.ts';

const key: TsigKey = { name: 'tidegate', algorithm: 'hmac-sha256', secret: Buffer.alloc(32, 7) };
/** Returns the answers to a request over UDP or TCP. Empty for silence. */
type Answer = (request: Buffer, over: 'UDP' | 'TCP') => readonly Buffer[];

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function hostile(answer: Answer, timeoutMs = 1_000): Promise<Rfc2136Server> {
  const tcp: Server = createServer((socket: Socket) => {
    socket.on('error', () => undefined);
    closers.push(() => socket.destroy());
    socket.on('data', (data) => {
      for (const each of answer(data.subarray(2), 'TCP')) {
        const length = Buffer.alloc(2);
        length.writeUInt16BE(each.length);
        socket.write(Buffer.concat([length, each]));
      }
    });
  });
  await new Promise<void>((done) => tcp.listen(0, '127.0.0.1', done));
  const { port } = tcp.address() as { port: number };
  const udp: UdpSocket = createSocket('udp4');
  udp.on('message', (data, { port: to, address }) => {
    for (const each of answer(data, 'UDP')) udp.send(each, to, address);
  });
  await new Promise<void>((done) => udp.bind(port, '127.0.0.1', done));
  closers.push(
    () => tcp.close(),
    () => udp.close(),
  );
  return new Rfc2136Server({ place: { address: '127.0.0.1', port }, key, timeoutMs });
}

async function codeOf(answer: Answer, timeoutMs?: number): Promise<string> {
  const server = await hostile(answer, timeoutMs);
  const wanted = {
    ...{ zone: 'lb.example.test', name: 'web.lb.example.test', writer: '00000000-0000-4000-8000-000000000000' },
    ...{ owner: 'loadbalancer/1', generation: 1, records: [{ type: 'A', value: '192.0.2.1' } as const], ttlSeconds: 5 },
    ...{ earlierRecords: [], readAtMs: Date.now() },
  };
  return server.publish(wanted, new AbortController().signal).then(
    ({ state }) => state,
    (error) => error.code ?? String(error),
  );
}

/** The request's question with these flags and code, and no signature. */
function reply(request: Buffer, flags: number): Buffer {
  const bytes = Buffer.from(request);
  bytes.writeUInt16BE(flags, 2);
  const end = bytes.indexOf(0, 12) + 5;
  bytes.fill(0, 6, 12);
  return bytes.subarray(0, end);
}

const authoritative = 0x8400;

test.each<[string, string, Answer]>([
  ['is silent', 'TIMED_OUT', () => []],
  ['answers with random bytes', 'BAD_ANSWER', () => [Buffer.from('not a DNS message at all')]],
  ['answers nothing but lengths', 'BAD_ANSWER', () => [Buffer.alloc(0)]],
  ['answers the request itself', 'BAD_ANSWER', (request) => [request]],
  ['cuts its answers off', 'BAD_ANSWER', (request) => [reply(request, authoritative).subarray(0, 20)]],
  ['always says that the answer is truncated', 'NOT_SIGNED', (request) => [reply(request, authoritative | 0x0200)]],
  ['answers without a signature that there are no records', 'NOT_SIGNED', (request) => [reply(request, authoritative)]],
  [
    'answers without a signature that the name does not exist',
    'NOT_SIGNED',
    (request) => [reply(request, authoritative | 3)],
  ],
  ['fails', 'SERVER_FAILURE', (request) => [reply(request, authoritative | 2)]],
  ['refuses', 'REFUSED', (request) => [reply(request, authoritative | 5)]],
  ['does not know the key', 'BAD_KEY', (request) => [reply(request, authoritative | 9)]],
  [
    'returns our own signature',
    'NOT_SIGNED',
    (request) => [Buffer.concat([request.subarray(0, 2), Buffer.from([0x84]), request.subarray(3)])],
  ],
])('a server that %s: %s', async (_what, code, answer) => {
  expect(await codeOf(answer, 300)).toBe(code);
});

const wanted = {
  ...{ zone: 'a.test', name: 'b.a.test', writer: '', owner: '', generation: 1, records: [], ttlSeconds: 5 },
  ...{ earlierRecords: [], readAtMs: 0 },
};

test('a UDP answer with another ID is dropped, and an unsigned one is repeated over TCP', async () => {
  let [forged, asked] = [0, 0];
  const code = await codeOf((request, over) => {
    if (over === 'TCP') {
      asked += 1;
      return [reply(request, authoritative | 2)];
    }
    const other = reply(request, authoritative | 5);
    other.writeUInt16BE(request.readUInt16BE(0) ^ 1, 0);
    forged += 1;
    return [...Array(100).fill(other), reply(request, authoritative | 5)];
  });
  expect(code).toBe('SERVER_FAILURE');
  expect(forged).toBe(3);
  expect(asked).toBeGreaterThan(0);
});

test('a server that sends one byte after the other is abandoned in time', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    const timer = setInterval(() => socket.write(Buffer.from([0xff])), 20);
    closers.push(() => {
      clearInterval(timer);
      socket.destroy();
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  closers.push(() => server.close());
  const { port } = server.address() as { port: number };
  const slow = new Rfc2136Server({ place: { address: '127.0.0.1', port }, key, timeoutMs: 300 });
  await expect(slow.has(wanted, new AbortController().signal)).rejects.toMatchObject({ code: 'TIMED_OUT' });
});

test('a wait ends with its signal', async () => {
  const server = await hostile(() => [], 60_000);
  const stop = new AbortController();
  const waiting = server.has(wanted, stop.signal);
  stop.abort(new Error('drained'));
  await expect(waiting).rejects.toThrow('drained');
});
