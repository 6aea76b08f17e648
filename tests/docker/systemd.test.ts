// The sample settings and units of docker/systemd: each is read as `tidegate serve` reads it, and together they are one installation.
// needs: dashboard, nginx-light, systemd
import { readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { createClient } from 'graphql-ws';
import { request } from 'undici';
import { WebSocket } from 'ws';
import { keyFilesOf, machineRolesOf } from '../../compose/missing-files.ts';
import { runProgram } from '../../embedded/run-program.ts';
import { type Config, placeOf, readConfig, rolesOf } from '../../platform/process/config.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { forFile } from '../support/jest/shared.ts';
import { temporaryFolder } from '../support/machine/temporary-folder.ts';
import { runningSystem } from '../support/product/running-system.ts';
import { startNginx } from '../support/servers/nginx.ts';

const samples = join(import.meta.dirname, '../../docker/systemd');
const files = readdirSync(samples);
const names = files.filter((file) => file.endsWith('.yaml')).map((file) => file.slice(0, -'.yaml'.length));
const units = files.filter((file) => file.endsWith('.service'));
const text = (file: string): Promise<string> => readFile(join(samples, file), 'utf8');

const folder = forFile(() => temporaryFolder());
const read = new Map<string, Config>();

function sample(name: string): Config {
  const config = read.get(name);
  if (config === undefined) throw new Error(`there is no ${name}.yaml`);
  return config;
}

/** Password files are read with the settings, so that they are made here. */
async function readSample(name: string, more = ''): Promise<Config> {
  const path = join(folder.path, `${name}.yaml`);
  await writeFile(path, `${(await text(`${name}.yaml`)).replaceAll('/etc/tidegate', folder.path)}${more}`);
  return readConfig({ file: path, env: {} }, subgraphRows);
}

beforeAll(async () => {
  for (const secret of ['database', 'redis']) await writeFile(join(folder.path, `${secret}.password`), 'secret\n');
  for (const name of names) read.set(name, await readSample(name));
});

test('some sample has each role', () => {
  const roles = [...read.values()].flatMap((config) => config.roles);
  expect(roles.sort()).toEqual([...rolesOf(subgraphRows).all].sort());
});

describe.each(names)('%s.yaml', (name) => {
  test('an unknown setting beside it is refused', async () => {
    await expect(readSample(name, 'lissten: { port: 1 }\n')).rejects.toThrow(
      /lissten\.port .*there is no such setting/,
    );
  });

  test('names its unit, its owner, its key files and its machines', async () => {
    const [, unit = '', owner] =
      /^# Unit: (\S+?\.service)[\s\S]*^# Owner: (\w+); modes: files 600, folders 700\./m.exec(
        await text(`${name}.yaml`),
      ) ?? [];
    const file = units.includes(unit) ? unit : unit.replace(`@${name}.`, '@.');
    const unitText = await text(file);
    expect(unitText.replaceAll('%i', name)).toContain(`--config /etc/tidegate/${name}.yaml`);
    expect(owner).toBe(/^User=(\w+)$/m.exec(unitText)?.[1] ?? 'root');
    const config = sample(name);
    const listed = (list: readonly string[]) => (list.length === 0 ? 'none' : [...list].sort().join(' '));
    expect(await text(`${name}.yaml`)).toMatch(
      new RegExp(
        `^# Key files: ${listed(keyFilesOf(config, subgraphRows))}\n# Machines: ${listed(machineRolesOf(config, subgraphRows))}$`,
        'm',
      ),
    );
  });
});

test.each(units)('%s starts samples that exist, and may write where they write', async (unit) => {
  const unitText = await text(unit);
  const [, roles, name = ''] =
    /serve(?: --as-root)?(?: --roles (\S+))? --config \/etc\/tidegate\/(\S+)\.yaml$/m.exec(unitText) ?? [];
  const headers = await Promise.all(names.map((each) => text(`${each}.yaml`)));
  const started = names.filter((each, index) => headers[index]?.includes(`# Unit: ${unit.replace('@', `@${each}`)}`));
  if (name !== '%i') expect(started).toEqual([name]);
  expect(started.length).toBeGreaterThan(0);
  if (roles !== undefined) expect(started.map((each) => sample(each).roles)).toEqual([[roles]]);
  for (const each of started)
    if (sample(each)['database.passwordFile'] !== undefined) {
      // By default it is in the folder of the keys, which the unit can't write.
      expect(sample(each)['database.memoryFile']).toMatch(/^\/var\/lib\/tidegate\//);
      expect(unitText).toContain('\nStateDirectory=tidegate\n');
    }
});

/** systemd-analyze(1): from 0, the best, to 10. */
test.each([
  ['tidegate@.service', 2],
  ['tidegate-dns.service', 2],
  ['tidegate-lbhost.service', 6],
])('%s has an exposure of at most %d', async (unit, most) => {
  expect(units).toContain(unit);
  // An instance of the template is judged.
  const path = join(folder.path, unit.replace('@.', '@control.'));
  await writeFile(path, await text(unit));
  const { stdout } = await runProgram('/usr/bin/systemd-analyze', ['security', '--offline=yes', '--no-pager', path]);
  const [, exposure] = /Overall exposure level for \S+: ([\d.]+)/.exec(stdout) ?? [];
  expect(Number(exposure)).toBeLessThanOrEqual(most);
});

test('a gateway reaches each subgraph at its port, and the subgraphs reach the gateway', () => {
  const [control, gateway] = [sample('control'), sample('gateway')];
  const portOf = (url: string) => Number(new URL(url).port);
  for (const { name } of subgraphRows)
    expect([name, placeOf(name, gateway).urls?.map(portOf)]).toEqual([name, [placeOf(name, control).port]]);
  expect(control['internal.graphUrls'].map(portOf)).toEqual([gateway['internal.graphPort']]);
});

test.each([
  ['lbhost', 'lbhost.controlUrls', 'loadbalancer.linkPort'],
  ['dns', 'nameserver.controlUrls', 'gslb.dnsPort'],
  ['checker', 'checker.controlUrls', 'gslb.checkerPort'],
  ['cluster', 'objectController.controlPlaneUrls', 'objectStorage.linkPort'],
])('%s connects to the port of control.yaml', (name, urls, port) => {
  const value = (of: string, setting: string) => (sample(of) as Readonly<Record<string, unknown>>)[setting];
  const found = (value(name, urls) as readonly string[]).map((url) => Number(new URL(url).port));
  expect([...new Set(found)]).toEqual([value('control', port)]);
});

describe('nginx.conf', () => {
  test('leads to the gateway', async () => {
    const gateway = sample('gateway');
    expect(await text('nginx.conf')).toContain(
      `proxy_pass http://${gateway['listen.host']}:${gateway['listen.port']};`,
    );
    expect(gateway['listen.trustedProxies']).toEqual([gateway['listen.host']]);
  });

  test('carries calls, the dashboard, sockets of its own pages, and event streams, over TLS', async () => {
    await using ending = new AsyncDisposableStack();
    const system = await runningSystem({ settings: { roles: 'gateway,system', 'listen.trustedProxies': '127.0.0.1' } });
    ending.defer(() => system.stop());
    const front = await startNginx({ folder: folder.path, gateway: new URL(system.url).host });
    ending.use(front);
    const { origin, agent } = front;
    const pages = await Promise.all(
      ['/', '/graphiql'].map((path) => request(`${origin}${path}`, { dispatcher: agent })),
    );
    for (const { body } of pages) await body.dump();
    const authorization = `Bearer ${system.token}`;
    const post = (query: string, accept: string) =>
      request(`${origin}/graphql`, {
        ...{ dispatcher: agent, method: 'POST', body: JSON.stringify({ query }) },
        headers: { authorization, accept, 'content-type': 'application/json' },
      });
    const call = await post('{ me { admin } }', 'application/json');
    const events = await post('subscription { statusChanges { change { id } } }', 'text/event-stream');
    let stream = '';
    for await (const part of events.body) {
      stream += String(part);
      if (stream.includes('event: next')) break;
    }
    class Page extends WebSocket {
      constructor(address: string, protocols: string[]) {
        super(address, protocols, { ca: front.ca, origin });
      }
    }
    const client = createClient({
      ...{ url: `${origin.replace('https', 'wss')}/graphql`, webSocketImpl: Page, retryAttempts: 0 },
      connectionParams: { authorization },
    });
    ending.defer(async () => client.dispose());
    expect(stream).toContain('event: next');
    const first = await client.iterate({ query: 'subscription { statusChanges { change { id } } }' }).next();
    expect({
      pages: pages.map(({ statusCode }) => statusCode),
      call: await call.body.json(),
      socket: first.value?.data,
    }).toMatchObject({
      ...{ pages: [200, 200], call: { data: { me: { admin: false } } } },
      socket: { statusChanges: { change: null } },
    });
  });
});
