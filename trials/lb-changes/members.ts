// The members run in a thread. They are small servers on separate ports that answer with their number and the nonce of the request, and log
// writes. Each accepts any protocol: HTTP/1.x or HTTP/2, with or without TLS, with or without a header of the PROXY protocol.

import {
  createServer as createH2Server,
  type Http2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import { parentPort, workerData } from 'node:worker_threads';
import type { MemberData } from './shared.ts';

const { shared, count, certificate } = workerData as MemberData;

const proxyV2 = '\r\n\r\n\0\r\nQUIT\n';
const tlsHandshake = 0x16;
/** Limit for the first frame of HTTP/2. */
const silentMs = 10_000;

interface Member {
  readonly number: number;
  readonly h2: Http2Server;
  readonly tls: TlsServer;
}

/** The first bytes reveal the protocol of a connection. */
function accept(socket: Socket, member: Member): void {
  let first: Buffer = Buffer.alloc(0);
  const look = (chunk: Buffer) => {
    first = Buffer.concat([first, chunk]);
    const rest = withoutProxyHeader(first);
    if (rest === undefined || (rest.length < 3 && rest[0] !== tlsHandshake)) return;
    socket.off('data', look).pause();
    socket.unshift(rest);
    if (rest[0] === tlsHandshake) member.tls.emit('connection', socket);
    else if (rest.toString('latin1', 0, 3) === 'PRI') member.h2.emit('connection', socket);
    else serve(socket, member.number);
  };
  socket.setNoDelay(true);
  socket.on('data', look);
  socket.on('end', () => socket.end()).on('error', () => socket.destroy());
}

/** Undefined if it is incomplete. */
function withoutProxyHeader(bytes: Buffer): Buffer | undefined {
  const text = bytes.toString('latin1', 0, 128);
  if (text.startsWith('PROXY ')) {
    const end = text.indexOf('\r\n');
    return end < 0 ? undefined : bytes.subarray(end + 2);
  }
  if (proxyV2.startsWith(text.slice(0, proxyV2.length)) && text.length < 16) return undefined;
  if (!text.startsWith(proxyV2)) return bytes;
  const length = 16 + bytes.readUInt16BE(14);
  return bytes.length < length ? undefined : bytes.subarray(length);
}

/** HTTP/1.x requests of a connection, one after the other. */
function serve(socket: Socket, member: number): void {
  let waiting = '';
  socket.setEncoding('latin1').resume();
  socket.on('data', (chunk: string) => {
    waiting += chunk;
    for (;;) {
      const end = waiting.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = waiting.slice(0, end);
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
      if (waiting.length < end + 4 + length) return;
      const body = waiting.slice(end + 4, end + 4 + length);
      waiting = waiting.slice(end + 4 + length);
      answer(socket, member, head, body);
    }
  });
}

function answer(socket: Socket, member: number, head: string, body: string): void {
  const ends = head.includes(' HTTP/1.0') || /\r\nconnection: *close/i.test(head);
  const [, method = '', path = ''] = /^(\S+) (\S*)/.exec(head) ?? [];
  const text = answerTo(member, method, path, body);
  if (text === undefined) return void socket.destroy();
  const connection = ends ? 'connection: close\r\n' : '';
  socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\n${connection}\r\n${text}`, 'latin1');
  if (ends) socket.end();
}

/** Undefined if the body does not match its nonce. */
function answerTo(member: number, method: string, path: string, body: string): string | undefined {
  const [, nonce] = /[?&]n=(\d+)/.exec(path) ?? [];
  if (nonce !== undefined && method === 'POST') {
    Atomics.add(shared.writes, Number(nonce), 1);
    if (body !== `nonce ${nonce}`) return undefined;
  }
  return `${member} ${nonce ?? '-'}`;
}

function h2Server(member: number): Http2Server {
  const server = createH2Server();
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    let body = '';
    stream.setEncoding('latin1').on('data', (chunk: string) => (body += chunk));
    stream.on('error', () => stream.destroy());
    stream.on('end', () => {
      const text = answerTo(member, String(headers[':method']), String(headers[':path']), body);
      if (text === undefined || stream.destroyed) return void stream.destroy();
      stream.respond({ ':status': 200, 'content-length': text.length });
      stream.end(text);
    });
  });
  return server;
}

/** If a client resets the connection right after the handshake, neither session nor socket is closed, and the file descriptor would stay open. */
function serveH2(h2: Http2Server, socket: TLSSocket): void {
  let session: ServerHttp2Session | undefined;
  const take = (made: ServerHttp2Session) => (session = made);
  h2.once('session', take);
  h2.emit('connection', socket);
  h2.off('session', take);
  const silent = setTimeout(() => {
    session?.destroy();
    socket.destroy();
  }, silentMs);
  session?.once('remoteSettings', () => clearTimeout(silent));
  socket.once('close', () => clearTimeout(silent));
}

function newMember(number: number): Member {
  const h2 = h2Server(number);
  const { cert, key } = certificate;
  const tls = createTlsServer({ cert, key, ALPNProtocols: ['h2', 'http/1.1'] }, (socket) => {
    if (socket.alpnProtocol === 'h2') return serveH2(h2, socket);
    socket.on('error', () => socket.destroy());
    serve(socket, number);
  });
  return { number, h2, tls };
}

const ports = await Promise.all(
  Array.from(
    { length: count },
    (_, number) =>
      new Promise<number>((resolve) => {
        const member = newMember(number);
        const server = createServer((socket) => accept(socket, member));
        server.listen(0, '127.0.0.1', 1_024, () => resolve((server.address() as AddressInfo).port));
      }),
  ),
);
parentPort?.postMessage(ports);
