// The probes against real servers: their results and explanations.
import { once } from 'node:events';
import { createServer as createHttp } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { type Probe, ProbeTable } from '../../../platform/checks/probe.ts';
import { httpProbe } from '../../../platform/checks/probes/http.ts';
import { standardProbes } from '../../../platform/checks/probes/standard.ts';
import { tcpProbe } from '../../../platform/checks/probes/tcp.ts';
import { tlsProbe } from '../../../platform/checks/probes/tls.ts';
import { type EgressPolicy, egressFrom } from '../../../platform/net/egress.ts';
import { testEgress } from '../../support/machine/egress.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listen(server: Server): Promise<{ host: string; port: number }> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

function look<Parameters>(probe: Probe<Parameters>, parameters: Parameters, egress: EgressPolicy = testEgress) {
  const timeoutMs = 2_000;
  const { signal } = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const onCancel = (cancel: () => void) => {
    clearTimeout(timer);
    timer = setTimeout(cancel, timeoutMs);
  };
  return probe
    .check(parameters, { targetId: 't', revision: '', timeoutMs, egress, signal, onCancel })
    .finally(() => clearTimeout(timer));
}

const greeting = () => createServer((socket) => socket.on('error', () => undefined).write('220 hello'));

test('TCP: a connection is up, a refusal is not, and an expected text must arrive', async () => {
  const where = await listen(greeting());
  expect(await look(tcpProbe, where)).toMatchObject({ up: true, message: null });
  expect(await look(tcpProbe, { ...where, expect: '220' })).toMatchObject({ up: true });
  const closed = await listen(createServer((socket) => socket.on('error', () => undefined).end('500 no')));
  expect(await look(tcpProbe, { ...closed, expect: '220' })).toMatchObject({
    up: false,
    message: 'it closed the connection without the expected text',
  });
  const gone = servers.splice(1, 1)[0];
  gone?.close();
  await once(gone as Server, 'close');
  expect(await look(tcpProbe, closed)).toMatchObject({ up: false, message: 'the connection was refused' });
});

test('HTTP: status and body, also with chunked encoding', async () => {
  const server = createHttp((request, response) => {
    response.statusCode = request.url === '/health' ? 200 : 503;
    response.write('it is al');
    response.end(`ive at ${request.headers.host}`);
  });
  const where = await listen(server);
  expect(await look(httpProbe, { ...where, path: '/health' })).toMatchObject({ up: true });
  expect(await look(httpProbe, where)).toMatchObject({ up: false, message: 'it answered with status 503' });
  expect(await look(httpProbe, { ...where, expectedCodes: '200,500-599' })).toMatchObject({ up: true });
  const expecting = { ...where, path: '/health', hostHeader: 'web.test' };
  expect(await look(httpProbe, { ...expecting, expect: 'alive at web.test' })).toMatchObject({ up: true });
  expect(await look(httpProbe, { ...expecting, expect: 'dead' })).toMatchObject({
    up: false,
    message: 'its body does not have the expected text',
  });
  expect(await look(httpProbe, await listen(greeting().on('connection', (socket) => socket.end())))).toMatchObject({
    up: false,
  });
});

const interim = 'HTTP/1.1 100 Continue\r\n\r\n';

test('HTTP: interim replies precede the final one', async () => {
  const reply = `${interim.repeat(3)}HTTP/1.1 204 No Content\r\n\r\n`;
  const where = await listen(createServer((socket) => socket.on('error', () => undefined).end(reply)));
  expect(await look(httpProbe, { ...where, expectedCodes: '204' })).toMatchObject({ up: true });
});

test('HTTP: a server that never stops sending interim replies is down', async () => {
  const bomb = createServer((socket) => {
    const flood = () => {
      while (!socket.destroyed && socket.write(interim.repeat(50_000)));
    };
    socket.on('error', () => undefined).on('drain', flood);
    flood();
  });
  expect(await look(httpProbe, await listen(bomb))).toMatchObject({ up: false, message: 'its answer is not HTTP' });
});

test('TLS: a server without TLS is down', async () => {
  expect(await look(tlsProbe, { ...(await listen(greeting())), verify: false })).toMatchObject({ up: false });
});

test('an address that the egress policy refuses is not dialled, and neither is a name that resolves to it', async () => {
  const server = greeting();
  let connections = 0;
  server.on('connection', () => {
    connections += 1;
  });
  const where = await listen(server);
  for (const host of ['127.0.0.1', 'localhost', '::ffff:127.0.0.1', '0x7f.1'])
    for (const probe of [tcpProbe, httpProbe, tlsProbe])
      expect(await look(probe, { ...where, host }, egressFrom({}))).toMatchObject({
        up: false,
        message: expect.stringMatching(/are denied by the built-in rule \S+ \(loopback\)/),
      });
  expect(connections).toBe(0);
});

test('the schema refuses bad parameters with an explanation', () => {
  const table = new ProbeTable(standardProbes);
  expect(table.schemas().map(({ name }) => name)).toEqual(['tcp', 'http', 'https', 'tls']);
  expect(table.faults('tcp', { host: '127.0.0.1', port: 80 })).toEqual([]);
  expect(table.faults('tcp', { host: '127.0.0.1', port: 0 })).toEqual(['/port must be >= 1']);
  expect(table.faults('http', { host: 'a', port: 80, path: '/a b' })).toEqual([
    expect.stringMatching(/^\/path must match/),
  ]);
  expect(table.faults('icmp', {})).toEqual([expect.stringMatching(/^no probe is named "icmp"/)]);
});
