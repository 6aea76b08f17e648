// A FortiGate behind HTTPS that answers a login, the health check, the creation and the deletion of an object like FortiOS 7.4, in the formats
// of simulators/fortios (which names their sources), and stores nothing.
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { makeCertificate } from '../../platform/net/certificates.ts';

const host = '127.0.0.1';
const release = { serial: 'FGVM010000000001', version: 'v7.4.4', build: 2573 };
const session = ['session_key_443_a1=5e55; path=/; secure; httponly', 'ccsrf_token_443_a1="c0ffee"; path=/; secure'];

export async function startFortigate(_password: string, pause: () => Promise<void>) {
  const certificate = await makeCertificate({ commonName: 'device' });
  const fingerprint = `SHA256:${Buffer.from(certificate.sha256, 'hex').toString('base64').replace(/=+$/, '')}`;
  const server = createServer({ cert: certificate.cert, key: certificate.key }, (request, response) =>
    answer(request, response, pause),
  );
  server.listen(0, host);
  await once(server, 'listening');
  return { host, port: (server.address() as AddressInfo).port, fingerprint };
}

function answer(request: IncomingMessage, response: ServerResponse, pause: () => Promise<void>): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  // A client that disconnects ends its call.
  request.on('error', () => {});
  request.on('end', async () => {
    const { method, url = '' } = request;
    if (url.startsWith('/api/v2/cmdb/firewall/address') && method === 'POST') {
      const { name } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { readonly name: string };
      await pause();
      const place = { vdom: 'root', path: 'firewall', name: 'address', mkey: name };
      send(response, { http_method: 'POST', ...place, status: 'success', http_status: 200, ...release });
    } else if (url.startsWith('/api/v2/cmdb/firewall/address/') && method === 'DELETE') {
      await pause();
      const mkey = decodeURIComponent(url.split('?', 1)[0]?.split('/').at(-1) ?? '');
      const place = { vdom: 'root', path: 'firewall', name: 'address', mkey };
      send(response, { http_method: 'DELETE', ...place, status: 'success', http_status: 200, ...release });
    } else if (url === '/api/v2/authentication') {
      response.setHeader('set-cookie', method === 'POST' ? session : []);
      send(response, { status_code: 5, status_message: 'LOGIN_SUCCESS' });
    } else if (url === '/api/v2/monitor/system/status') {
      send(response, { http_method: 'GET', results: { model: 'FGVM64' }, status: 'success', ...release });
    } else {
      response.writeHead(404).end();
    }
  });
}

function send(response: ServerResponse, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
