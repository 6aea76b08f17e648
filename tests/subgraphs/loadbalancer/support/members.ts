// Real servers as members of pools. They answer with their name, and record the requests that they got.
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer as createTcp, type Socket, type Server as TcpServer } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { Agent, request } from 'undici';

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

export interface TestMember {
  readonly name: string;
  readonly port: number;
  readonly asked: Asked[];
  /** The status of the answers to checks (path /health), and to everything else. */
  health: number;
  status: number;
  stop(): Promise<void>;
}

type Answer = (asked: IncomingMessage, response: ServerResponse, member: TestMember) => void;

const usual: Answer = (_, response, { name, status }) => void response.writeHead(status).end(name);

/** Starts a member that answers with its name. */
export async function webMember(
  name: string,
  { answer = usual, tls, host = '127.0.0.1' }: { answer?: Answer; tls?: TlsOptions; host?: string } = {},
): Promise<TestMember> {
  const take = (asked: IncomingMessage, response: ServerResponse) => {
    if (asked.url === '/health') return void response.writeHead(member.health).end();
    member.asked.push({ method: asked.method ?? '', url: asked.url ?? '', headers: asked.headers });
    answer(asked, response, member);
  };
  const server: Server = tls === undefined ? createServer(take) : createHttps(tls, take);
  const port = await listening(server, host);
  const member: TestMember = {
    ...{ name, port, asked: [], health: 200, status: 200 },
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return member;
}

/** A stream server. `take` gets each connection. */
export async function streamMember(take: (socket: Socket) => void, host = '127.0.0.1') {
  const sockets = new Set<Socket>();
  const server = createTcp((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    take(socket);
  });
  const port = await listening(server, host);
  const stop = () =>
    new Promise<void>((resolve) => {
      for (const socket of sockets) socket.destroy();
      server.close(() => resolve());
    });
  return { port, stop };
}

function listening(server: Server | TcpServer, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, () => resolve((server.address() as AddressInfo).port));
  });
}

interface Reply {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Sends one request on its own connection. */
export async function ask(
  port: number,
  given: {
    readonly path?: string;
    readonly method?: 'GET' | 'POST' | 'HEAD' | 'PUT';
    readonly headers?: Record<string, string | string[]>;
    readonly body?: string;
    readonly origin?: string;
    /** The client's address. */
    readonly localAddress?: string;
  } = {},
): Promise<Reply> {
  const { path = '/', method = 'GET', headers = {}, body, origin = `http://127.0.0.1:${port}`, localAddress } = given;
  const agent = new Agent({ allowH2: false, ...(localAddress === undefined ? {} : { localAddress }) });
  try {
    const reply = await request(`${origin}${path}`, { method, headers, body: body ?? null, dispatcher: agent });
    return { status: reply.statusCode, text: await reply.body.text(), headers: reply.headers };
  } finally {
    await agent.destroy();
  }
}

/** Sends this many requests, and counts each answer text. */
export async function tally(
  port: number,
  count: number,
  headers: Record<string, string> = {},
): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (let n = 0; n < count; n += 1) {
    const { status, text } = await ask(port, { headers });
    const key = status === 200 ? text : String(status);
    found.set(key, (found.get(key) ?? 0) + 1);
  }
  return found;
}

/**
 * Accepts every upgrade and every CONNECT, and answers each request, including those inside. `tell` gets the head of
 * each.
 */
export function eagerMember(tell: (head: string) => void) {
  return streamMember((socket) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        const head = text.slice(0, end);
        text = text.slice(end + 4);
        tell(head);
        const [, protocol] = /^upgrade: (.*)$/im.exec(head) ?? [];
        const upgraded = `101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`;
        socket.write(`HTTP/1.1 ${protocol === undefined ? '200 OK\r\nContent-Length: 2\r\n\r\nok' : upgraded}`);
      }
    });
  });
}
