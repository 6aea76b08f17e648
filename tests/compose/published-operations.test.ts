// Published operations from end to end: a gateway in a process without a database, which accepts nothing else, and the system subgraph
// behind HTTP.
// needs: load
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type RunningProcess, startProcess } from '../../compose/process.ts';
import { DashboardStartDocument } from '../../generated/dashboard/graphql.ts';
import { createLogger } from '../../platform/log/log.ts';
import { readConfig } from '../../platform/process/config.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { freePort } from '../support/machine/free-port.ts';
import { waitFor } from '../support/machine/temporary-folder.ts';
import { accountsOf, type SystemPlace, systemPlace } from '../support/product/running-system.ts';

const log = createLogger({ level: process.env.TEST_LOG ?? 'silent', pretty: false });
const text = 'query Mine { me { name admin } }';
const documentId = createHash('sha256').update(text).digest('hex');

let place: SystemPlace;
let system: RunningProcess;
let gateway: RunningProcess;
let token: string;
let administrator: string;

beforeAll(async () => {
  place = await systemPlace();
  const [systemPort, relayPort] = [await freePort(), await freePort()];
  const ports = { 'internal.systemPort': String(systemPort), 'internal.relayPort': String(relayPort) };
  const flags = { ...place.settings, ...ports, roles: 'system,relay' };
  system = await startProcess(readConfig({ flags }, subgraphRows), log);
  token = await accountsOf(place, system);
  gateway = await startProcess(
    readConfig(
      {
        flags: {
          ...{ roles: 'gateway', 'listen.port': '0', 'keys.folder': place.settings['keys.folder'] ?? '' },
          'subgraphs.systemUrl': `http://127.0.0.1:${systemPort}/graphql`,
          'subgraphs.relayUrl': `http://127.0.0.1:${relayPort}/graphql`,
          'operations.accept': 'published',
        },
      },
      subgraphRows,
    ),
    log,
  );
  const password = (await readFile(join(place.folder.path, 'accounts/admin.password'), 'utf8')).trim();
  const login = 'mutation ($input: LoginInput!) { login(input: $input) { accessToken } }';
  const { data } = await post('', { query: login, variables: { input: { name: 'admin', password } } });
  administrator = data?.login?.accessToken ?? '';
});

afterAll(async () => {
  await gateway?.stop();
  await system?.stop();
  await place?.remove();
});

interface Answer {
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
  readonly data?: any;
  readonly errors?: readonly { readonly extensions?: { readonly code?: string } }[];
}

const headersOf = (bearer: string) => ({
  'content-type': 'application/json',
  ...(bearer === '' ? {} : { authorization: `Bearer ${bearer}` }),
});

async function post(bearer: string, body: object): Promise<Answer> {
  const sent = { method: 'POST', headers: headersOf(bearer), body: JSON.stringify(body) };
  return (await (await fetch(`${gateway.url}/graphql`, sent)).json()) as Answer;
}

const code = ({ errors }: Answer) => errors?.[0]?.extensions?.code;

test('an administrator publishes and removes; a gateway of another process follows, and refuses everything else', async () => {
  expect(code(await post(token, { documentId }))).toBe('PERSISTED_QUERY_NOT_FOUND');
  expect(code(await post(token, { query: text }))).toBe('NOT_PUBLISHED');
  const add =
    'mutation ($input: PublishedOperationAddInput!) { publishedOperationAdd(input: $input) { publishedOperations { id } userErrors { code } } }';
  const added = await post(administrator, { query: add, variables: { input: { operations: [{ text }] } } });
  expect(added.data.publishedOperationAdd.userErrors).toEqual([]);
  await waitFor('the gateway to know it', async () => code(await post(token, { documentId })) === undefined);
  expect((await post(token, { documentId })).data).toEqual({ me: { name: 'admin', admin: false } });
  expect((await post(token, { query: text })).data).toEqual({ me: { name: 'admin', admin: false } });

  const remove =
    'mutation ($input: PublishedOperationRemoveInput!) { publishedOperationRemove(input: $input) { removedId userErrors { code } } }';
  const [{ id }] = added.data.publishedOperationAdd.publishedOperations;
  const removed = await post(administrator, { query: remove, variables: { input: { id } } });
  expect(removed.data.publishedOperationRemove).toEqual({ removedId: id, userErrors: [] });
  await waitFor('the gateway to forget it', async () => code(await post(token, { documentId })) !== undefined);
  expect(code(await post(token, { query: text }))).toBe('NOT_PUBLISHED');
});

test("exports work, and the dashboard's own operations in sessions of users alone", async () => {
  const exported = await fetch(`${gateway.url}/export/mappings.ndjson`, { headers: headersOf(token) });
  expect([exported.status, await exported.text()]).toEqual([200, expect.stringContaining('"after"')]);
  const dashboard = await fetch(`${gateway.url}/operations.json`);
  // Only a built dashboard lists its operations.
  if (dashboard.status !== 200) return;
  const query = DashboardStartDocument.toString();
  expect(code(await post(token, { query }))).toBe('NOT_PUBLISHED');
  const input = { name: 'olga', password: 'a password that fits' };
  const create = 'mutation ($input: UserCreateInput!) { userCreate(input: $input) { userErrors { code } } }';
  expect((await post(administrator, { query: create, variables: { input } })).data.userCreate.userErrors).toEqual([]);
  const logIn = 'mutation ($input: LoginInput!) { login(input: $input) { accessToken } }';
  const { data } = await post('', { query: logIn, variables: { input } });
  expect((await post(data.login.accessToken, { query })).data).toHaveProperty('me');
});
