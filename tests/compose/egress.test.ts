// The egress policy of a process, built from its settings.
import os from 'node:os';
import { afterEach, expect, test } from '@jest/globals';
import { egressOfLab, openEgress } from '../../compose/egress.ts';
import { ConfigError } from '../../platform/errors/config-error.ts';
import { createLogger } from '../../platform/log/log.ts';
import { egressFrom, KnownListeners } from '../../platform/net/egress.ts';
import { readConfig } from '../../platform/process/config.ts';
import { Lifecycle } from '../../platform/process/lifecycle.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { ask } from '../bin/support/up-process.ts';
import { type RunningSystem, runningSystem } from '../support/product/running-system.ts';

const log = createLogger({ level: 'silent', pretty: false });
let running: RunningSystem | undefined;
afterEach(async () => {
  await running?.stop();
  running = undefined;
});

const configOf = (flags: Record<string, string>) => readConfig({ flags }, subgraphRows);

async function policyOf(flags: Record<string, string>) {
  const lifecycle = new Lifecycle({ log });
  const { policy } = await openEgress(
    configOf(flags),
    log,
    lifecycle,
    subgraphRows.map(({ name }) => name),
  );
  await lifecycle.stop();
  return policy;
}

test('every address in the settings at which the installation listens is denied', async () => {
  const policy = await policyOf({
    'listen.host': '203.0.113.1',
    'database.host': '203.0.113.2',
    'database.standbyHost': '203.0.113.3',
    'redis.host': '203.0.113.4',
    'internal.host': '203.0.113.5',
    'internal.relayPort': '4102',
    'subgraphs.systemUrl': 'https://[2001:db8::6]/graphql',
  });
  expect([...policy.rules.own].sort()).toEqual([
    ...['203.0.113.1:4000', '203.0.113.2:3306', '203.0.113.3:3306', '203.0.113.4:6379', '203.0.113.5:4102'],
    '[2001:db8::6]:443',
  ]);
});

test('Sentinels count as own listeners', async () => {
  const policy = await policyOf({ 'redis.sentinels': '203.0.113.4,203.0.113.5:26380' });
  expect([...policy.rules.own]).toEqual(expect.arrayContaining(['203.0.113.4:26379', '203.0.113.5:26380']));
});

test('parts that the settings place on this machine are denied on each of its addresses', async () => {
  const [address = ''] = Object.values(os.networkInterfaces())
    .flatMap((each) => each ?? [])
    .flatMap(({ address, family, internal }) => (family === 'IPv4' && !internal ? [address] : []));
  for (const flags of [
    { 'database.host': '127.0.0.1', 'redis.host': 'localhost', 'subgraphs.systemUrl': 'http://127.0.0.1:4101/graphql' },
    { 'database.host': '127.0.0.1', 'database.port': '3306', 'redis.path': '/run/redis.sock' },
    { 'database.socketPath': '/run/mariadb.sock', 'redis.host': '127.0.0.1' },
  ]) {
    const policy = await policyOf({ ...flags, 'egress.allow': '127.0.0.0/8' });
    for (const host of ['127.0.0.1', '127.0.0.9', ...(address === '' ? [] : [address])])
      for (const port of [3306, 6379])
        expect([host, port, policy.denial(host, port)?.address]).toEqual([host, port, host]);
  }
});

test('rules are read from the settings in any notation, and a wrong one is reported', async () => {
  const policy = await policyOf({ 'egress.allow': ' 127.0.0.5:22, [FD00::1]:443 ', 'egress.deny': '10.0.0.0/8' });
  expect(policy.rules).toMatchObject({ allow: ['127.0.0.5:22', '[fd00::1]:443'], deny: ['10.0.0.0/8'] });
  for (const wrong of ['10.0.0.1/8', 'db.example', '127.1', '10.0.0.1:70000'])
    expect(() => configOf({ 'egress.deny': wrong })).toThrow(ConfigError);
});

test('with the lab, only its devices and explicitly allowed addresses are reachable, on their ports', () => {
  const lab = new KnownListeners(['198.18.0.2:22']);
  const policyWith = (flags: Record<string, string>) => {
    const config = configOf(flags);
    const rules = { allow: config['egress.allow'], deny: egressOfLab(config)['egress.deny'] ?? [] };
    return egressFrom(rules, undefined, lab);
  };
  const strict = policyWith({});
  expect(strict.denial('198.18.0.2', 22)).toBeUndefined();
  for (const address of [
    '198.18.0.2',
    '198.18.0.1',
    '127.0.0.1',
    '10.0.0.1',
    '192.0.2.1',
    '2001:db8::1',
    '::ffff:192.0.2.1',
  ])
    expect(strict.denial(address, 23)).toBeDefined();
  expect(policyWith({ 'egress.allow': '127.0.0.5:2022' }).denial('127.0.0.5', 2022)).toBeUndefined();
  expect(policyWith({ 'egress.allow': '127.0.0.5:2022' }).denial('127.0.0.5', 2023)).toBeDefined();
  expect(policyWith({ 'egress.deny': '' }).denial('192.0.2.1', 22)).toBeUndefined();
  // A part that is added while the system runs.
  expect(strict.denial('127.0.0.1', 8443)).toBeDefined();
  lab.replace(['198.18.0.2:22', '127.0.0.1:8443']);
  expect(strict.denial('127.0.0.1', 8443)).toBeUndefined();
  expect(strict.rules.allow).toContain('127.0.0.1:8443');
});

test('the endpoint is denied on its actual port, even if all of loopback is allowed', async () => {
  running = await runningSystem();
  const port = Number(new URL(running.url).port);
  const create = `mutation ($input: BackendCreateInput!) { done: backendCreate(input: $input) { userErrors { code field } } }`;
  const tryAt = async (name: string, at: object): Promise<unknown> => {
    const credentials = { username: 'u', password: 'p' };
    const input = { name, driver: 'linux-nftables', credentials, ...at };
    const { done } = await ask<{ done: { userErrors: unknown } }>(
      new URL(running?.url ?? '').origin,
      running?.token,
      create,
      { input },
    );
    return done.userErrors;
  };
  const denied = [{ code: 'EGRESS_DENIED', field: ['input', 'host'] }];
  expect(await tryAt('a', { host: '127.0.0.1', port })).toEqual(denied);
  expect(await tryAt('b', { host: '::ffff:127.0.0.1', port })).toEqual(denied);
  expect(await tryAt('c', { host: '127.0.0.1', port: port === 1 ? 2 : port - 1 })).toEqual([]);
});
