// A subgraph in another process queries the graph: it sees one project, may only read, and its identity is useless elsewhere.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { request } from 'undici';
import { WebSocket } from 'ws';
import { AskedGraph } from '../../compose/asked-graph.ts';
import { type RunningProcess, startProcess } from '../../compose/process.ts';
import { loginQuestionPath, questionPath } from '../../platform/graph/ask-graph.ts';
import { makeServiceToken, readServiceToken } from '../../platform/graph/service-identity.ts';
import { createLogger } from '../../platform/log/log.ts';
import { readConfig } from '../../platform/process/config.ts';
import { KeyFolder } from '../../platform/secrets/key-folder.ts';
import type { Keyring } from '../../platform/secrets/keyring.ts';
import { decodeUuid } from '../../platform/values/ids.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { freePort } from '../support/machine/free-port.ts';
import { ask } from '../support/product/mounted-graph.ts';
import { accountsOf, type SystemPlace, systemPlace } from '../support/product/running-system.ts';

const log = createLogger({ level: process.env.TEST_LOG ?? 'silent', pretty: false });
const noProject = '01900000-0000-7000-8000-0000000000ff';
let place: SystemPlace;
let gateway: RunningProcess;
let keyring: Keyring;
let token: string;
let projectId: string;
let balancerId: string;
let graphUrl: string;
const ends: (() => unknown)[] = [];

beforeAll(async () => {
  place = await systemPlace();
  ends.push(() => place.remove());
  const port = await freePort();
  graphUrl = `http://127.0.0.1:${port}`;
  const roles = 'gateway,system,loadbalancer';
  const flags = { ...place.settings, roles, 'listen.port': '0', 'internal.graphPort': String(port) };
  gateway = await startProcess(readConfig({ flags }, subgraphRows), log);
  ends.push(() => gateway.stop());
  token = await accountsOf(place, gateway);
  const keys = new KeyFolder({ folder: String(place.settings['keys.folder']), log });
  keyring = await keys.shared('subgraphs');
  const { projects } = await asked<{ projects: { nodes: { id: string; name: string }[] } }>(
    '{ projects { nodes { id name } } }',
  );
  projectId = decodeUuid('Project', projects.nodes[0]?.id ?? '') ?? '';
  const made = await asked<{ loadBalancerCreate: { loadBalancer: { id: string } } }>(
    'mutation { loadBalancerCreate(input: { name: "web" }) { loadBalancer { id } userErrors { message } } }',
  );
  balancerId = made.loadBalancerCreate.loadBalancer.id;
});
afterAll(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** As a user. */
function asked<Data>(query: string, variables: object = {}): Promise<Data> {
  return ask<Data>({ url: gateway.url ?? '', token }, query, variables);
}

/** Acts as the subgraph gslb in another process. */
function subgraph(...urls: readonly string[]): AskedGraph {
  const flags = { ...place.settings, roles: 'gslb', 'internal.graphUrls': urls.join(',') };
  const keys = new KeyFolder({ folder: String(place.settings['keys.folder']), log });
  const graph = new AskedGraph({ config: readConfig({ flags }, subgraphRows), keys, tlsOf: async () => undefined });
  ends.push(() => graph.close());
  return graph;
}

const query = 'query ($id: ID!) { loadBalancer(id: $id) { name operatingStatus } loadBalancers { nodes { name } } }';

test('it sees objects of its project, and no others', async () => {
  const gslb = subgraph(graphUrl).of('gslb');
  const variables = { id: balancerId };
  expect(await gslb({ projectId, query, variables })).toMatchObject({
    loadBalancer: { name: 'web' },
    loadBalancers: { nodes: [{ name: 'web' }] },
  });
  const of = { projectId: noProject };
  expect(await gslb({ ...of, query, variables })).toEqual({ loadBalancer: null, loadBalancers: { nodes: [] } });
});

test('it only reads', async () => {
  const gslb = subgraph(graphUrl).of('gslb');
  const mutation = 'mutation { loadBalancerCreate(input: { name: "two" }) { loadBalancer { id } } }';
  await expect(gslb({ projectId, query: mutation })).rejects.toThrow('may only read');
  const subscription = 'subscription { loadBalancerChanges { cursor } }';
  await expect(gslb({ projectId, query: subscription })).rejects.toThrow('may only read');
  const { loadBalancers } = await asked<{ loadBalancers: { nodes: unknown[] } }>(
    '{ loadBalancers { nodes { name } } }',
  );
  expect(loadBalancers.nodes).toHaveLength(1);
});

test('a faulty or too large query is refused as for everyone else', async () => {
  const gslb = subgraph(graphUrl).of('gslb');
  await expect(gslb({ projectId, query: '{ nothing }' })).rejects.toThrow('nothing');
  await expect(gslb({ projectId, query: `{ me { ${'a'.repeat(300_000)} } }` })).rejects.toThrow('No gateway answers');
});

test('another gateway is asked when one does not answer; without any it fails', async () => {
  const nobody = `http://127.0.0.1:${await freePort()}`;
  const question = { projectId, query, variables: { id: balancerId } };
  const gslb = subgraph(nobody, graphUrl).of('gslb');
  expect(await gslb(question)).toMatchObject({ loadBalancer: { name: 'web' } });
  await expect(subgraph(nobody).of('gslb')(question)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await expect(subgraph().of('gslb')(question)).rejects.toThrow('internal.graphUrls');
});

test('its credential is not valid at the public endpoint', async () => {
  const credential = makeServiceToken(keyring, { subgraph: 'gslb', projectId });
  expect(readServiceToken(keyring, credential)?.projects).toEqual({ [projectId]: 'VIEWER' });
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${credential}` };
  const body = JSON.stringify({ query: '{ loadBalancers { nodes { name } } }' });
  expect((await request(`${gateway.url}/graphql`, { method: 'POST', headers, body })).statusCode).toBe(401);
  expect((await request(`${gateway.url}/export/loadBalancers.ndjson`, { headers })).statusCode).not.toBe(200);
  const socket = new WebSocket(`${gateway.url?.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  const payload = { authorization: `Bearer ${credential}` };
  socket.once('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload })));
  expect(await closed).toBeGreaterThanOrEqual(4400);
});

test('no other credential is valid where subgraphs ask', async () => {
  const fresh = makeServiceToken(keyring, { subgraph: 'gslb', projectId });
  const [head, id, , code] = fresh.split('.');
  const other = { sub: 'gslb', project: noProject, iat: Math.floor(Date.now() / 1000) };
  const forged = [head, id, Buffer.from(JSON.stringify(other)).toString('base64url'), code].join('.');
  const old = makeServiceToken(keyring, { subgraph: 'gslb', projectId }, Date.now() - 60_000);
  const ahead = makeServiceToken(keyring, { subgraph: 'gslb', projectId }, Date.now() + 60_000);
  const none = [token, forged, old, ahead, `${fresh}x`, 'tgs', 'tgs...', `${head}.k9.a.b`];
  for (const credential of none) {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${credential}` };
    const body = JSON.stringify({ query: '{ me { __typename } }' });
    expect((await request(graphUrl + questionPath, { method: 'POST', headers, body })).statusCode).toBe(401);
  }
  expect((await request(graphUrl + questionPath, { method: 'POST' })).statusCode).toBe(401);
  expect((await request(`${graphUrl}/graphql`, { method: 'POST' })).statusCode).toBe(404);
});

test('it can have a login checked there, with the limits and answers of every login', async () => {
  const origin = { address: '192.0.2.77', via: 'a test' };
  const checkLogin = subgraph(graphUrl).checkLoginOf('object-storage');
  expect(await checkLogin({ token }, origin)).toMatchObject({
    identity: { kind: 'token', projects: { [projectId]: 'OPERATOR' } },
  });
  const wrong = { refused: { code: 'BAD_CREDENTIALS', message: 'the name or the password is wrong' } };
  for (const name of ['admin', 'nobody']) expect(await checkLogin({ name, password: 'wrong' }, origin)).toEqual(wrong);
  for (let attempt = 0; attempt < 9; attempt += 1) await checkLogin({ name: 'nobody', password: 'wrong' }, origin);
  expect(await checkLogin({ name: 'nobody', password: 'wrong' }, origin)).toMatchObject({
    refused: { code: 'RATE_LIMITED', retryAfterMs: expect.any(Number) },
  });
  const nobody = `http://127.0.0.1:${await freePort()}`;
  await expect(subgraph(nobody).checkLoginOf('object-storage')({ token }, origin)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
  });
  // Without a subgraph's credential nobody can try passwords here.
  const body = JSON.stringify({ credentials: { token }, origin });
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  expect((await request(graphUrl + loginQuestionPath, { method: 'POST', headers, body })).statusCode).toBe(401);
  expect((await request(gateway.url + loginQuestionPath, { method: 'POST', headers, body })).statusCode).toBe(404);
});
