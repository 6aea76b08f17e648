// The lab's inbox: takes the webhooks and mails of alert channels, and shows them to a person as a page. It keeps the newest in memory.
import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Server as NetServer, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { StartDevice } from '../device.ts';
import { startAs } from './identity.ts';

interface Received {
  readonly at: string;
  readonly kind: 'WEBHOOK' | 'MAIL';
  /** The path of the request, or the recipients. */
  readonly to: string;
  readonly text: string;
}

const host = '127.0.0.1';
const mostKept = 100;
const mostBytes = 1_048_576;
const idleMs = 30_000;
const mostConnections = 50;

export const startInbox: StartDevice = async ({ folder }) => {
  const received: Received[] = [];
  let refuses = false;
  const keep = (message: Omit<Received, 'at'>) => {
    received.unshift({ at: new Date().toISOString(), ...message });
    received.splice(mostKept);
  };
  const { device, identity } = await startAs(
    folder,
    async ({ certificate: { cert, key }, ports }) => {
      const takes = (request: IncomingMessage, response: ServerResponse) =>
        void takeWebhook(request, response, { refuses, keep });
      const servers = {
        https: createHttpsServer({ cert, key }, takes),
        smtps: createTlsServer({ cert, key }, (socket) => takeMail(socket, { refuses, keep })),
        page: createHttpServer((request, response) => showPage(request, response, received)),
      };
      try {
        for (const [name, server] of Object.entries(servers)) await listen(server, ports[name] ?? 0);
      } catch (error) {
        await closeAll(Object.values(servers));
        throw error;
      }
      return servers;
    },
    ({ https, smtps, page }) => ({ https: portOf(https), smtps: portOf(smtps), page: portOf(page) }),
  );
  const { https = 0, smtps = 0, page = 0 } = identity.ports;
  return {
    available: true,
    inbox: {
      ...{ page: `http://${host}:${page}/`, webhookUrl: `https://${host}:${https}/alerts` },
      ...{ mail: { host, port: smtps }, caCertificates: identity.certificate.cert },
    },
    reaches: [
      { host, port: https },
      { host, port: smtps },
    ],
    async trouble(trouble) {
      refuses = trouble === 'refuse';
    },
    stop: () => closeAll(Object.values(device)),
  };
};

interface Taking {
  readonly refuses: boolean;
  readonly keep: (message: Omit<Received, 'at'>) => void;
}

async function takeWebhook(
  request: IncomingMessage,
  response: ServerResponse,
  { refuses, keep }: Taking,
): Promise<void> {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of request as AsyncIterable<Buffer>) {
      bytes += part.length;
      if (bytes > mostBytes) return void response.writeHead(413, { connection: 'close' }).end();
      parts.push(part);
    }
  } catch {
    // The sender went away.
    return;
  }
  if (request.method !== 'POST') return void response.writeHead(405).end();
  if (refuses) return void response.writeHead(503).end();
  keep({ kind: 'WEBHOOK', to: request.url ?? '/', text: readable(Buffer.concat(parts).toString('utf8')) });
  response.writeHead(204).end();
}

function readable(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

/** SMTP (RFC 5321), as far as one sender needs it. Accepts any login. */
function takeMail(socket: Socket, { refuses, keep }: Taking): void {
  let unread = '';
  let recipients: string[] = [];
  let data: string[] | undefined;
  const say = (line: string) => socket.write(`${line}\r\n`);
  const reply = (line: string) => {
    const verb = line.slice(0, 4).toUpperCase();
    if (verb === 'EHLO') say('250-lab-inbox\r\n250 AUTH PLAIN LOGIN');
    else if (verb === 'AUTH') say('235 2.7.0 welcome');
    else if (verb === 'RCPT') {
      recipients.push(/<([^>]*)>/.exec(line)?.[1] ?? line);
      say(refuses ? '451 4.3.0 try again later' : '250 2.1.5 OK');
    } else if (verb === 'DATA') {
      data = [];
      say('354 end with a line of one dot');
    } else if (verb === 'QUIT') socket.end('221 2.0.0 bye\r\n');
    else say('250 2.0.0 OK');
  };
  const take = (line: string) => {
    if (data === undefined) return reply(line);
    if (line !== '.') return void data.push(line.startsWith('.') ? line.slice(1) : line);
    keep({ kind: 'MAIL', to: recipients.join(', '), text: data.join('\n') });
    [data, recipients] = [undefined, []];
    say('250 2.0.0 kept');
  };
  let bytes = 0;
  socket.setEncoding('utf8').setTimeout(idleMs, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.on('data', (text: string) => {
    bytes += text.length;
    if (bytes > mostBytes) return void socket.end('552 5.3.4 too large\r\n');
    const lines = `${unread}${text}`.split('\r\n');
    unread = lines.pop() ?? '';
    for (const line of lines) take(line);
  });
  say('220 lab-inbox ESMTP');
}

/**
 * Serves people at `/`, and JSON at `/messages`. Refuses other host names, because a page of another site may have resolved its name to this address.
 */
function showPage(request: IncomingMessage, response: ServerResponse, received: readonly Received[]): void {
  const { port } = request.socket.address() as AddressInfo;
  if (![`${host}:${port}`, `localhost:${port}`].includes(request.headers.host ?? ''))
    return void response.writeHead(403).end();
  if (request.url === '/messages')
    return void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(received));
  if (request.url !== '/') return void response.writeHead(404).end();
  const items = received.map(
    ({ at, kind, to, text }) => `<article><h2>${kind} ${escaped(to)} · ${at}</h2><pre>${escaped(text)}</pre></article>`,
  );
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
    refresh: '5',
  };
  response.writeHead(200, headers).end(`<!doctype html><html lang="en"><title>Inbox of the lab</title>
<style>body{font:14px sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}pre{white-space:pre-wrap;background:#eee;padding:1rem}h2{font-size:1rem}</style>
<h1>Inbox of the lab</h1>${items.join('\n') || '<p>No message yet. Send one: <code>tidegate alert-channels test lab-inbox</code></p>'}</html>`);
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

async function listen(server: NetServer, port: number): Promise<void> {
  server.maxConnections = mostConnections;
  server.on('tlsClientError', () => undefined);
  server.listen(port, host);
  await once(server, 'listening');
}

function portOf(server: NetServer): number {
  return (server.address() as AddressInfo).port;
}

async function closeAll(servers: readonly NetServer[]): Promise<void> {
  for (const server of servers) {
    if (!server.listening) continue;
    const closed = once(server, 'close');
    server.close();
    if ('closeAllConnections' in server) (server as Server).closeAllConnections();
    // A sender of mail that stays idle ends by itself.
    else server.unref();
    if ('closeAllConnections' in server) await closed;
  }
}
