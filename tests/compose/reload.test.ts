// A gateway as a service: its settings file gets a subgraph of another team, which is in the graph after `tidegate reload` or SIGHUP, while
// requests go on.
// needs: system, util-linux
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type RunningProcess, startProcess } from '../../compose/process.ts';
import { createLogger } from '../../platform/log/log.ts';
import { readConfig } from '../../platform/process/config.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { startProgram } from '../bin/support/up-process.ts';
import { runCommand } from '../cli/commands/run-command.ts';
import { freePort } from '../support/machine/free-port.ts';
import { waitFor } from '../support/machine/temporary-folder.ts';
import { accountsOf, type SystemPlace, systemPlace } from '../support/product/running-system.ts';

const sdl = (field: string) => `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  type Query { ${field}: String }`;

let place: SystemPlace;
let system: RunningProcess;
let gateway: ReturnType<typeof startProgram>;
let outside: Server;
let url: string;
let base: Readonly<Record<string, unknown>>;
let token: string;
let administrator: string;
/** Queries until it is stopped. */
let client: Promise<void> | undefined;
let isOver = false;

beforeAll(async () => {
  place = await systemPlace();
  const systemPort = await freePort();
  const flags = { ...place.settings, 'internal.systemPort': String(systemPort), roles: 'system' };
  system = await startProcess(readConfig({ flags }, subgraphRows), createLogger({ level: 'silent', pretty: false }));
  token = await accountsOf(place, system);
  // Answers each field with its name.
  outside = createServer(async (request, response) => {
    if (request.method === 'GET') return response.end();
    const { query } = JSON.parse(await textOf(request)) as { query: string };
    const [, alias, field = alias] = /\{\s*(\w+)(?:\s*:\s*(\w+))?/.exec(query) ?? [];
    response.end(JSON.stringify({ data: { [alias ?? '']: `the ${field}` } }));
  }).listen(0, '127.0.0.1');
  await once(outside, 'listening');
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  base = {
    ...{ roles: ['gateway'], 'listen.port': port, 'keys.folder': place.settings['keys.folder'] },
    'subgraphs.systemUrl': `http://127.0.0.1:${systemPort}/graphql`,
  };
  await settings({});
  gateway = startProgram(['serve', '--as-root', '--config', file('gateway.json')], {}, undefined, ['setsid']);
  await waitFor('the gateway to be ready', async () => {
    if (gateway.child.exitCode !== null) throw new Error(gateway.output());
    return (await fetch(`${url}/health/ready`).catch(() => undefined))?.status === 200;
  });
  const password = (await readFile(join(place.folder.path, 'accounts/admin.password'), 'utf8')).trim();
  const login = 'mutation ($input: LoginInput!) { login(input: $input) { accessToken } }';
  const { data } = await post({ query: login, variables: { input: { name: 'admin', password } } }, '');
  administrator = data.login.accessToken;
});

afterAll(async () => {
  isOver = true;
  await client;
  gateway.child.kill('SIGTERM');
  const { code } = await gateway.ended;
  outside.closeAllConnections();
  outside.close();
  await system.stop();
  await place.remove();
  expect(code).toBe(0);
});

const file = (name: string) => join(place.folder.path, name);
const settings = (more: object) => writeFile(file('gateway.json'), JSON.stringify({ ...base, ...more }));

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
async function post(body: object, bearer = token): Promise<any> {
  const headers = {
    'content-type': 'application/json',
    ...(bearer === '' ? {} : { authorization: `Bearer ${bearer}` }),
  };
  return (await fetch(`${url}/graphql`, { method: 'POST', headers, body: JSON.stringify(body) })).json();
}

const reload = (bearer: string, ...more: string[]) =>
  runCommand(['reload', '--url', `${url}/graphql`, ...more], { env: { TIDEGATE_TOKEN: bearer } });

test('a subgraph of another team is added, changed, refused and removed; no request fails', async () => {
  const failed: unknown[] = [];
  client = (async () => {
    while (!isOver) {
      const { data, errors } = await post({ query: '{ me { name } }' });
      if (errors !== undefined || data?.me == null) failed.push(errors ?? data);
    }
  })();
  expect((await reload(token)).stderr).toContain('Only administrators may reload the graph.');
  expect((await reload(administrator)).stdout).toBe('The graph is as it was.\n');

  const entry = {
    urls: [`http://127.0.0.1:${(outside.address() as AddressInfo).port}`],
    sdl: file('inventory.graphql'),
  };
  await writeFile(entry.sdl, sdl('rack'));
  await settings({ subgraphs: { inventory: entry }, 'graphql.maxDepth': 11 });
  const added = await reload(administrator);
  expect(added).toMatchObject({ exitCode: 0, stderr: '' });
  expect(added.stdout).toMatch(/^Added +inventory$/m);
  expect(added.stdout).toContain('count after a restart: graphql.maxDepth');
  expect(await post({ query: '{ rack me { name } }' })).toMatchObject({
    data: { rack: 'the rack', me: { name: expect.any(String) } },
  });

  await writeFile(entry.sdl, sdl('me'));
  const refused = await reload(administrator);
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toContain('subgraphs.inventory.sdl: Query.me is a field of ours');
  expect((await post({ query: '{ rack }' })).data).toEqual({ rack: 'the rack' });

  await writeFile(entry.sdl, sdl('shelf'));
  gateway.child.kill('SIGHUP');
  await waitFor('the changed field', async () => (await post({ query: '{ shelf }' })).data?.shelf === 'the shelf');

  await settings({});
  expect((await reload(administrator, '--json')).stdout).toContain('"removed": [');
  expect((await post({ query: '{ shelf }' })).errors[0].extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
  isOver = true;
  await client;
  expect(failed).toEqual([]);
});
