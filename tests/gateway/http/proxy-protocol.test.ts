// The PROXY protocol: possible connection headers, and a real HAProxy that forwards connections, plain and with TLS.
// needs: haproxy
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createClient } from 'graphql-ws';
import { Agent, request } from 'undici';
import { WebSocket } from 'ws';
import { readProxyHeader } from '../../../gateway/http/proxy-protocol.ts';
import { freePort } from '../../support/machine/free-port.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../support/machine/temporary-folder.ts';
import { makeCertificates, type TestCertificates } from '../../support/product/certificates.ts';
import { answered } from '../support/answered.ts';
import { TestGateway } from '../support/gateway.ts';

const signature = '0d0a0d0a000d0a515549540a';
const binary = (rest: string): Buffer => Buffer.from(`${signature}${rest}`.replaceAll(' ', ''), 'hex');
const ipv4 = binary('21 11 000c c0000201 c6336402 0001 01bb');

describe('a header', () => {
  test.each([
    ['version 1, IPv4', Buffer.from('PROXY TCP4 192.0.2.1 198.51.100.2 4242 443\r\n'), '192.0.2.1'],
    ['version 1, IPv6', Buffer.from('PROXY TCP6 2001:db8::1 2001:db8::2 4242 443\r\n'), '2001:db8::1'],
    [
      'version 1, unknown client',
      Buffer.from('PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n'),
      undefined,
    ],
    ['version 2, IPv4', ipv4, '192.0.2.1'],
    [
      'version 2, IPv6',
      binary(`21 21 0024 20010db8${'0'.repeat(23)}1 20010db8${'0'.repeat(23)}2 0001 01bb`),
      '2001:db8::1',
    ],
    ['version 2, with more than addresses', binary('21 11 000f c0000201 c6336402 0001 01bb 040000'), '192.0.2.1'],
    ["version 2, the proxy's own", binary('20 00 0000'), undefined],
    ['version 2, a Unix socket', binary(`21 31 00d8 ${'00'.repeat(216)}`), undefined],
  ])('%s', (_what, bytes, address) => {
    expect(readProxyHeader(Buffer.concat([bytes, Buffer.from('GET /')]))).toEqual({ length: bytes.length, address });
    for (let length = 0; length < bytes.length; length += 1)
      expect(readProxyHeader(bytes.subarray(0, length))).toBeUndefined();
  });

  test.each([
    ['a request', Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n')],
    ['TLS', Buffer.from('1603010200010001fc0303', 'hex')],
    ['no end', Buffer.from(`PROXY TCP4 ${'1'.repeat(200)}`)],
    ['no address', Buffer.from('PROXY TCP4 999.1.1.1 1.1.1.1 1 1\r\n')],
    ['another family', Buffer.from('PROXY TCP5 1.1.1.1 1.1.1.1 1 1\r\n')],
    ['another version', binary('31 11 000c c0000201 c6336402 0001 01bb')],
    ['another command', binary('22 11 000c c0000201 c6336402 0001 01bb')],
    ['too short', binary('21 11 0004 c0000201')],
    ['too long', binary('21 11 ffff c0000201')],
  ])("can't be %s", (_what, bytes) => {
    expect(() => readProxyHeader(bytes)).toThrow(/PROXY protocol header/);
  });
});

describe.each(['send-proxy', 'send-proxy-v2'])('HAProxy with %s', (option) => {
  let folder: TemporaryFolder;
  let certificates: TestCertificates;
  let haproxy: ChildProcess;
  const gateways = { plain: new TestGateway('in-process'), tls: new TestGateway('in-process') };
  const ports = { plain: 0, tls: 0 };

  beforeAll(async () => {
    folder = await temporaryFolder();
    certificates = await makeCertificates(folder.path, 'front');
    const behind = { trustedProxies: ['127.0.0.1'], proxyProtocol: true };
    await gateways.plain.start(behind);
    await gateways.tls.start({ ...behind, tls: certificates });
    for (const name of ['plain', 'tls'] as const) ports[name] = await freePort();
    const parts = (['plain', 'tls'] as const).map((name) =>
      [
        `listen ${name}`,
        `  bind 127.0.0.1:${ports[name]}`,
        `  server gateway 127.0.0.1:${gateways[name].gateway.port} ${option}`,
      ].join('\n'),
    );
    const file = join(folder.path, 'haproxy.cfg');
    const timeouts = '  timeout connect 5s\n  timeout client 30s\n  timeout server 30s';
    await writeFile(file, `defaults\n  mode tcp\n${timeouts}\n${parts.join('\n')}\n`);
    haproxy = spawn('haproxy', ['-db', '-q', '-f', file], { stdio: 'ignore' });
    await waitFor('HAProxy', () => isOpen(ports.tls));
  });

  afterAll(async () => {
    if (haproxy?.exitCode === null) {
      haproxy.kill('SIGKILL');
      await once(haproxy, 'exit');
    }
    for (const gateway of Object.values(gateways)) await gateway.stop();
    await folder?.remove();
  });

  /** Sends a request from that address of this host. */
  async function askFrom(localAddress: string, url: string, headers = {}): Promise<unknown> {
    const agent = new Agent({ localAddress, connect: { ca: certificates.ca } });
    try {
      const answer = await request(`${url}/graphql`, {
        dispatcher: agent,
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: 'Bearer token-ann', ...headers },
        body: JSON.stringify({ query: '{ clientAddress }' }),
      });
      return ((await answer.body.json()) as { data: { clientAddress: unknown } }).data.clientAddress;
    } finally {
      await agent.destroy();
    }
  }

  test.each(['plain', 'tls'] as const)("the address is the client's, not the proxy's: %s", async (name) => {
    const url = `${name === 'tls' ? 'https' : 'http'}://127.0.0.1:${ports[name]}`;
    expect(await askFrom('127.0.0.5', url)).toBe('127.0.0.5');
    expect(await askFrom('127.0.0.6', url)).toBe('127.0.0.6');
    // The client is not a trusted proxy, so its claims about other addresses are ignored.
    expect(await askFrom('127.0.0.5', url, { 'x-forwarded-for': '192.0.2.1' })).toBe('127.0.0.5');
  });

  test("a client that connects directly is served, and can't claim another address", async () => {
    const { url, port } = gateways.plain.gateway;
    expect(await askFrom('127.0.0.5', url)).toBe('127.0.0.5');
    expect(await sent(port, 'PROXY TCP4 192.0.2.1 192.0.2.2 1 1\r\nGET / HTTP/1.1\r\n\r\n', '127.0.0.5')).toContain(
      '400 Bad Request',
    );
  });

  test('a proxy that sends nothing, something invalid, or one byte at a time', async () => {
    const { port } = gateways.plain.gateway;
    const get = 'GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';
    expect(await sent(port, get)).toBe('');
    expect(await sent(port, 'PROXY TCP4 x')).toBe('');
    expect(await sent(port, `PROXY UNKNOWN\r\n${get}`)).toContain('{"live":true}');
    expect(await sent(port, `PROXY TCP4 192.0.2.1 192.0.2.2 1 1\r\n${get}`, '127.0.0.1', 1)).toContain('{"live":true}');
  });

  test('metrics are for this host only, and a proxy on it does not count as this host', async () => {
    const metrics = 'GET /metrics HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n';
    const { port } = gateways.plain.gateway;
    expect(await sent(port, `PROXY TCP4 192.0.2.1 192.0.2.2 1 1\r\n${metrics}`)).toContain('403 Forbidden');
    expect(await sent(port, `PROXY UNKNOWN\r\n${metrics}`)).toContain('403 Forbidden');
    expect(await sent(port, metrics, '127.0.0.5')).toContain('200 OK');
  });

  test('a socket works through the proxy', async () => {
    const client = createClient({
      url: `ws://127.0.0.1:${ports.plain}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: 'Bearer token-ann' },
      retryAttempts: 0,
    });
    const first = await client.iterate<{ clientAddress: string }>({ query: '{ clientAddress }' }).next();
    expect(first.value).toEqual({ ...answered, data: { clientAddress: '127.0.0.1' } });
    await client.dispose();
  });
});

async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  return new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  }).finally(() => socket.destroy());
}

/** Everything received until the connection ends. `pieceBytes`: the size of each write. */
async function sent(port: number, text: string, localAddress = '127.0.0.1', pieceBytes = text.length): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  let answer = '';
  socket
    .setNoDelay(true)
    .setEncoding('utf8')
    .on('data', (part: string) => {
      answer += part;
    });
  socket.on('error', () => undefined);
  const closed = once(socket, 'close');
  for (let at = 0; at < text.length; at += pieceBytes) {
    socket.write(text.slice(at, at + pieceBytes));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await closed;
  return answer;
}
