// The shared HTTPS side of simulators, used by Node's own TLS client.

import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request } from 'node:https';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { afterEach, expect, test } from '@jest/globals';
import { makeCertificate } from '../../../platform/net/certificates.ts';
import { type RequestHandler, TlsServer, type TlsServerOptions } from '../../../simulators/support/tls-server.ts';

const running: TlsServer[] = [];

afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});

async function start(handler: RequestHandler, options: TlsServerOptions = {}): Promise<TlsServer> {
  const server = await TlsServer.start(handler, options);
  running.push(server);
  return server;
}

const hello: RequestHandler = async () => ({ status: 200, body: 'hello' });

async function shake(server: TlsServer, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ host: server.host, port: server.port, ca: server.certificate.cert, ...options });
  try {
    await once(socket, 'secureConnect');
    return socket;
  } finally {
    socket.on('error', () => {});
    socket.destroy();
  }
}

function get(server: TlsServer, path: string, headers: Record<string, string> = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const agent = new Agent({ ca: server.certificate.cert });
    const call = request({ host: server.host, port: server.port, path, headers, agent }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.on('end', () => resolve(`${response.statusCode} ${body}`));
      response.on('error', reject);
    });
    call.on('error', reject);
    call.end();
  });
}

test.each(['ec', 'rsa'] as const)(
  'presents a certificate with a key of type %s that a client can trust',
  async (keyType) => {
    const certificate = await makeCertificate({ commonName: 'FGT60F0000000001', names: ['127.0.0.1'], keyType });
    const server = await start(hello, { certificate });
    await shake(server);
    const parsed = new X509Certificate(certificate.cert);
    expect(parsed.subject).toBe('CN=FGT60F0000000001');
    expect(parsed.fingerprint256.replaceAll(':', '').toLowerCase()).toBe(certificate.sha256);
    expect(parsed.verify(parsed.publicKey)).toBe(true);
    expect(parsed.checkIP('127.0.0.1')).toBe('127.0.0.1');
  },
);

test('an expired certificate really is expired', async () => {
  const notAfter = new Date(Date.now() - 60_000);
  const server = await start(hello, {
    certificate: await makeCertificate({ commonName: 'old', names: ['127.0.0.1'], notAfter }),
  });
  await expect(shake(server)).rejects.toMatchObject({ code: 'CERT_HAS_EXPIRED' });
});

test('a changed certificate is refused by a client that trusted the previous one', async () => {
  const server = await start(hello);
  const before = server.certificate.cert;
  server.present(await makeCertificate({ commonName: 'another', names: ['127.0.0.1'] }));
  await expect(shake(server, { ca: before })).rejects.toMatchObject({
    code: expect.stringMatching(/SELF_SIGNED|VERIFY/),
  });
  await shake(server);
});

test('speaks only the configured TLS versions', async () => {
  const old = await start(hello, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1' });
  await expect(shake(old)).rejects.toMatchObject({ code: expect.stringMatching(/PROTOCOL_VERSION|ECONNRESET/) });
  const oldest: ConnectionOptions = { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' };
  await shake(old, oldest);
  const modern = await start(hello, { minVersion: 'TLSv1.3' });
  await expect(shake(modern, { maxVersion: 'TLSv1.2' })).rejects.toMatchObject({
    code: expect.stringMatching(/PROTOCOL_VERSION|ECONNRESET/),
  });
});

test('passes the path unchanged, with query, cookies and body', async () => {
  const server = await start(async (call) => ({
    status: 201,
    body: JSON.stringify([call.path, call.query.get('vdom'), call.cookies.get('ccsrftoken'), call.remoteAddress]),
  }));
  const answer = await get(server, '/api/a%2Fb?vdom=x%20y', { cookie: 'a=b; ccsrftoken="12=3"' });
  expect(answer).toBe('201 ["/api/a%2Fb","x y","\\"12=3\\"","127.0.0.1"]');
});

test('truncates a reply, and cuts a connection', async () => {
  const server = await start(async (call) => {
    if (call.path === '/short') return { status: 200, body: 'a long answer', cutAfterBytes: 3 };
    call.cut();
    return undefined;
  });
  await expect(get(server, '/short')).rejects.toMatchObject({ code: 'ECONNRESET' });
  await expect(get(server, '/cut')).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect(server.connections).toBe(2);
});
