// NEUTRON_LBAAS_V2 and NEUTRON_PORT against a simulator of the documented APIs: Identity API v3 (password authentication with scoped
// authorization), Octavia API v2 (Get the Load Balancer status tree), Networking API v2.0 (Show port details).
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { makeCertificate } from '../../../../../../platform/net/certificates.ts';
import { lbaasPlugin, portPlugin } from '../../../../../../subgraphs/gslb/agents/checker/plugins/neutron.ts';
import type { CheckPlugin } from '../../../../../../subgraphs/gslb/agents/checker/plugins/plugin.ts';
import { OpenStack } from '../../../../../../subgraphs/gslb/agents/checker/tools/openstack.ts';
import { checkOnce } from '../support/check-once.ts';

const passwords: Readonly<Record<string, string>> = { ann: 'the-password-of-ann', bob: 'the-password-of-bob' };
const balancer = randomUUID();
const port = randomUUID();
const secret = { username: 'ann', password: 'the-password-of-ann', token: null };
/** The user who owns the object. */
const owner = 'ann';
const openStack = new OpenStack();
const tokens = new Map<string, string>();
let statuses: object = {};
let shownPort: object = {};
let logins = 0;
let isHanging = false;
let place: { url: string; authUrl: string; project: string; caCertificates: string };
const ends: (() => unknown)[] = [];

beforeAll(async () => {
  const key = await makeCertificate({ commonName: 'openstack', names: ['127.0.0.1'] });
  const sockets = new Set<Socket>();
  const server = createServer(key, (request, response) => {
    void answer(request).then((reply) => {
      if (reply === undefined) return;
      response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
      response.end(JSON.stringify(reply.body));
    });
  });
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  ends.push(async () => {
    await openStack.close();
    for (const socket of sockets) socket.destroy();
    await new Promise((done) => server.close(done));
  });
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  place = { url: `${url}/service`, authUrl: `${url}/identity/v3`, project: 'web', caCertificates: key.cert };
});
afterAll(async () => {
  for (const end of ends) await end();
});

interface Reply {
  readonly status: number;
  readonly body: object;
  readonly headers?: Record<string, string>;
}

async function answer(request: IncomingMessage): Promise<Reply | undefined> {
  let text = '';
  for await (const part of request) text += String(part);
  if (request.url === '/identity/v3/auth/tokens') {
    if (request.method !== 'POST') return { status: 204, body: {} };
    const { user } = JSON.parse(text).auth.identity.password;
    if (passwords[user.name] !== user.password) return { status: 401, body: { error: { message: 'no' } } };
    logins += 1;
    const token = randomUUID();
    tokens.set(token, user.name);
    const times = { issued_at: '2026-11-22T06:00:00.000000Z', expires_at: '2026-11-22T07:00:00.000000Z' };
    return { status: 201, body: { token: times }, headers: { 'x-subject-token': token } };
  }
  const who = tokens.get(String(request.headers['x-auth-token']));
  if (who === undefined) return { status: 401, body: {} };
  if (isHanging) return undefined;
  if (who !== owner) return { status: 404, body: { faultstring: 'not found' } };
  if (request.url === `/service/v2/lbaas/loadbalancers/${balancer}/status`) return { status: 200, body: statuses };
  if (request.url === `/service/v2.0/ports/${port}`) return { status: 200, body: shownPort };
  return { status: 404, body: { faultstring: 'not found' } };
}

const tree = (operating: string, provisioning = 'ACTIVE') => ({
  statuses: {
    loadbalancer: {
      ...{ id: balancer, name: 'web', operating_status: operating, provisioning_status: provisioning },
      listeners: [
        { id: randomUUID(), name: 'http', operating_status: operating, provisioning_status: 'ACTIVE', pools: [] },
      ],
    },
  },
});

function seen(plugin: CheckPlugin, change: object = {}, who: object = secret, timeoutMs = 20_000) {
  const id = plugin.name === 'NEUTRON_PORT' ? port : balancer;
  const target = { parameters: { ...place, id, ...change } as never, secret: who as never };
  return checkOnce(plugin, target, { tools: { openStack }, timeoutMs });
}

test.each(['ONLINE', 'DEGRADED', 'NO_MONITOR'])("Octavia's %s is up", async (status) => {
  statuses = tree(status);
  expect(await seen(lbaasPlugin)).toMatchObject({ up: true });
});

test.each(['ERROR', 'OFFLINE', 'DRAINING'])("Octavia's %s is down", async (status) => {
  statuses = tree(status);
  expect(await seen(lbaasPlugin)).toMatchObject({ up: false, message: expect.stringContaining(status) });
});

test('a deleted or missing object is down', async () => {
  statuses = tree('ONLINE', 'PENDING_DELETE');
  expect(await seen(lbaasPlugin)).toMatchObject({ up: false });
  const none = { id: randomUUID() };
  expect(await seen(lbaasPlugin, none)).toMatchObject({ up: false, message: 'Octavia has no such load balancer' });
  expect(await seen(portPlugin, none)).toMatchObject({ up: false, message: 'Neutron has no such port' });
});

test("a port's status is the result", async () => {
  shownPort = { port: { id: port, status: 'ACTIVE', admin_state_up: true } };
  expect(await seen(portPlugin)).toMatchObject({ up: true });
  shownPort = { port: { id: port, status: 'DOWN', admin_state_up: true } };
  expect(await seen(portPlugin)).toMatchObject({ up: false, message: "Neutron's port is DOWN" });
  shownPort = { port: { id: port, status: 'ACTIVE', admin_state_up: false } };
  expect(await seen(portPlugin)).toMatchObject({ up: false });
});

test('an unclear OpenStack answer is not a result', async () => {
  statuses = {};
  await expect(seen(lbaasPlugin)).rejects.toThrow('an unexpected body');
  await expect(seen(lbaasPlugin, {}, { ...secret, password: 'wrong-password' })).rejects.toThrow('Keystone');
  await expect(seen(lbaasPlugin, {}, {})).rejects.toThrow('username and password');
  await expect(seen(lbaasPlugin, { caCertificates: undefined })).rejects.toThrow();
  isHanging = true;
  await expect(seen(lbaasPlugin, {}, secret, 2_000)).rejects.toThrow();
  isHanging = false;
});

test('checks of the same account share a login; other accounts do not', async () => {
  statuses = tree('ONLINE');
  expect(await seen(lbaasPlugin)).toMatchObject({ up: true });
  const before = logins;
  for (let at = 0; at < 5; at += 1) expect(await seen(lbaasPlugin)).toMatchObject({ up: true });
  expect(logins).toBe(before);
  // Another project's account can't see it, even though a token that can is cached.
  const other = { username: 'bob', password: 'the-password-of-bob', token: null };
  expect(await seen(lbaasPlugin, {}, other)).toMatchObject({ up: false });
  expect(logins).toBe(before + 1);
  tokens.clear();
  expect(await seen(lbaasPlugin)).toMatchObject({ up: true });
});
