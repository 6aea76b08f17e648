// Keys are rotated while calls are in progress, with two gateways and two control processes that each have their own key files. No step is
// possible before the previous one is complete everywhere, and no call fails.
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { request } from 'undici';
import { type RunningProcess, startProcess } from '../../compose/process.ts';
import { Database } from '../../platform/database/database.ts';
import { rotateKeys } from '../../platform/keys/rotate-keys.ts';
import { createLogger } from '../../platform/log/log.ts';
import { readConfig } from '../../platform/process/config.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { freePort } from '../support/machine/free-port.ts';
import { waitFor } from '../support/machine/temporary-folder.ts';
import { type SystemPlace, systemPlace } from '../support/product/running-system.ts';

const log = createLogger({ level: process.env.TEST_LOG ?? 'silent', pretty: false });
const controlFiles = ['public', 'system', 'subgraphs', 'sealing'];
const processes = new Map<string, RunningProcess>();
let place: SystemPlace;
let db: Database;

beforeAll(async () => {
  place = await systemPlace();
  db = new Database({ connection: place.database.connection });
  for (const number of [1, 2]) {
    const [systemPort, relayPort] = [String(await freePort()), String(await freePort())];
    await give(`control-${number}`, controlFiles);
    await give(`gateway-${number}`, ['gateway']);
    await start(`control-${number}`, { roles: 'system,relay', ...ports(systemPort, relayPort) });
    await start(`gateway-${number}`, {
      ...{ roles: 'gateway', 'listen.port': '0' },
      'subgraphs.systemUrl': `http://127.0.0.1:${systemPort}/graphql`,
      'subgraphs.relayUrl': `http://127.0.0.1:${relayPort}/graphql`,
    });
  }
  const { firstStart } = processes.get('control-1')?.access ?? {};
  await firstStart?.bootstrap({ adminName: 'admin', adminPassword: password });
});

afterAll(async () => {
  for (const each of [...processes.values()].reverse()) await each.stop();
  await db?.close();
  await place?.remove();
});

/** Longer than processes take to report which keys they know. */
const quietMs = 13_000;
const password = 'a password that fits';
const allKeys = () => place.settings['keys.folder'] ?? '';
const keysOf = (name: string) => join(place.folder.path, `keys-${name}`);
const ports = (system: string, relay: string) => ({ 'internal.systemPort': system, 'internal.relayPort': relay });

async function give(name: string, files: readonly string[]): Promise<void> {
  await mkdir(keysOf(name), { recursive: true });
  for (const file of files) await copyFile(join(allKeys(), `${file}.keys`), join(keysOf(name), `${file}.keys`));
}

async function start(name: string, settings: Record<string, string>): Promise<void> {
  const flags = { ...place.settings, ...settings, name, 'keys.folder': keysOf(name) };
  processes.set(name, await startProcess(readConfig({ flags }, subgraphRows), log));
}

async function ask(gateway: number, query: string, token?: string): Promise<Record<string, never>> {
  const answer = await request(`${processes.get(`gateway-${gateway}`)?.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query }),
  });
  const body = (await answer.body.json()) as { data: Record<string, never> | null; errors?: unknown };
  if (answer.statusCode !== 200 || body.errors !== undefined || body.data === null)
    throw new Error(`HTTP ${answer.statusCode}: ${JSON.stringify(body)}`);
  return body.data;
}

interface Traffic {
  calls: number;
  readonly failures: unknown[];
  stop(): Promise<void>;
}

/** Logins at one gateway, whose tokens are used at both gateways, so each control process has to accept the signatures of the other. */
function traffic(): Traffic {
  const state = { calls: 0, failures: [] as unknown[] };
  const stopped = new AbortController();
  const tokens: string[] = [];
  const loop = async (work: () => Promise<unknown>, pauseMs: number) => {
    while (!stopped.signal.aborted) {
      await work().catch((error: unknown) => state.failures.push(error));
      state.calls += 1;
      await sleep(pauseMs);
    }
  };
  const login = async (gateway: number) => {
    const query = `mutation { login(input: { name: "admin", password: "${password}" }) { accessToken userErrors { code } } }`;
    const data = (await ask(gateway, query)) as unknown as { login: { accessToken: string | null } };
    if (data.login.accessToken === null) throw new Error('no token');
    tokens.push(data.login.accessToken);
  };
  const read = async (gateway: number) => {
    const token = tokens.at(-1);
    if (token !== undefined) await ask(gateway, '{ me { name } backends(first: 1) { nodes { id } } }', token);
  };
  const loops = [
    ...[loop(() => login(1), 800), loop(() => login(2), 900)],
    ...[1, 2, 1, 2].map((gateway) => loop(() => read(gateway), 25)),
  ];
  return Object.assign(state, {
    async stop() {
      stopped.abort();
      await Promise.all(loops);
    },
  });
}

/** Takes the next step. A refusal is returned as its text. */
async function rotate(file: string, quietMs?: number): Promise<string> {
  const options = { path: join(allKeys(), `${file}.keys`), database: () => db };
  const step = await rotateKeys(quietMs === undefined ? options : { ...options, quietMs }).catch(String);
  return typeof step === 'string' ? step : step.step;
}

test('keys of signed identities and of access tokens, with calls under way: 0 failed', async () => {
  const calls = traffic();
  for (const file of ['gateway', 'system'] as const) {
    expect(await rotate(file)).toBe('announced');
    // At first no process knows the key, then one of two does.
    expect(await rotate(file)).toMatch(/k2 is not yet known to control-1, control-2: copy public\.keys/);
    await give('control-1', ['public']);
    await waitFor('one to know it', async () => (await rotate(file)).includes('yet known to control-2:'));
    await give('control-2', ['public']);
    await waitFor('both to know it', async () => (await rotate(file)) === 'activated');
    // One host of the role has the new file, and the other still signs with the old key.
    const [first, second] = file === 'gateway' ? ['gateway-1', 'gateway-2'] : ['control-1', 'control-2'];
    await give(first, [file]);
    // Calls meet a host with the new key, and one with the old.
    await sleep(1_500);
    expect(await rotate(file)).toMatch(/k1 can't be removed yet/);
    await waitFor('k1 to be seen used', async () =>
      /saw k1 used .* does every host of the role have the new/.test(await rotate(file, quietMs)),
    );
    await give(second, [file]);
    await waitFor('k1 to be out of use', async () => (await rotate(file, quietMs)) === 'retired');
    for (const name of ['control-1', 'control-2']) await give(name, ['public']);
    await give(second, [file]);
    // Calls continue without the old key.
    await sleep(1_500);
  }
  await calls.stop();
  expect(calls.failures).toEqual([]);
  expect(calls.calls).toBeGreaterThan(200);
}, 300_000);

test('a process with outdated key files does not start, and reports what is missing', async () => {
  await mkdir(keysOf('control-3'));
  for (const file of controlFiles)
    await copyFile(join(allKeys(), `${file}.keys`), join(keysOf('control-3'), `${file}.keys`));
  await db.execute("UPDATE active_key SET key_id = 'k9' WHERE file = 'gateway'");
  await expect(start('control-3', { roles: 'system' })).rejects.toThrow(
    /active key k9 of gateway is missing from this process's key files/,
  );
  await db.execute("UPDATE active_key SET key_id = 'k2' WHERE file = 'gateway'");
});

test('a process that died and was restarted under its name does not delay a rotation', async () => {
  await db.execute(
    "INSERT INTO process_keys (owner, name, `keys`, started_at, at) VALUES ('was', 'control-1', '{\"system/k1\":null}', NOW(3) - INTERVAL 2 HOUR, NOW(3) - INTERVAL 1 HOUR)",
  );
  expect(await rotate('system')).toBe('announced');
  // A running process can't be left out, not even with --without.
  const path = join(allKeys(), 'system.keys');
  const without = ['control-1', 'control-2'];
  expect(await rotateKeys({ path, database: () => db, without }).catch(String)).toMatch(
    /not yet known to control-1, control-2:/,
  );
  for (const name of ['control-1', 'control-2']) await give(name, ['public']);
  await waitFor('both to know it', async () => (await rotate('system')) === 'activated');
});

test('a dead process delays a rotation until it is declared gone', async () => {
  expect(await rotate('gateway')).toBe('announced');
  await db.execute(
    "INSERT INTO process_keys (owner, name, `keys`, at) VALUES ('dead', 'control-9', '{\"gateway/k2\":null}', NOW(3) - INTERVAL 5 MINUTE)",
  );
  for (const name of ['control-1', 'control-2']) await give(name, ['public']);
  expect(await rotate('gateway')).toMatch(/control-9 was last seen 5 min ago: start it, or give --without control-9/);
  const path = join(allKeys(), 'gateway.keys');
  const without = ['control-9'];
  await waitFor('the others to know it', async () =>
    rotateKeys({ path, database: () => db, without }).then(
      ({ step }) => step === 'activated',
      () => false,
    ),
  );
});
