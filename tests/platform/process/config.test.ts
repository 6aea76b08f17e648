// One schema with four sources: precedence, error messages, hidden values.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ConfigError } from '../../../platform/errors/config-error.ts';
import {
  type ConfigSources,
  describeSettings,
  printableConfig,
  readConfig as readConfigOf,
} from '../../../platform/process/config.ts';
import { subgraphRows } from '../../../subgraphs/rows.ts';

const readConfig = (sources: ConfigSources) => readConfigOf(sources, subgraphRows);

let folder: string;
let file: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidegate-config-'));
  file = join(folder, 'tidegate.yaml');
  await writeFile(file, 'listen:\n  port: 5001\n  host: 127.0.0.2\nlog:\n  level: warn\ngraphql.maxDepth: 9\n');
});

afterAll(() => rm(folder, { recursive: true }));

test('flags override the environment, which overrides the file, which overrides the defaults', () => {
  const env = { TIDEGATE_LISTEN_PORT: '5002', TIDEGATE_LOG_LEVEL: 'error', PATH: '/bin' };
  const config = readConfig({ flags: { 'listen.port': '5003' }, env, file });
  expect(config['listen.port']).toBe(5003);
  expect(config['log.level']).toBe('error');
  expect(config['listen.host']).toBe('127.0.0.2');
  expect(config['graphql.maxDepth']).toBe(9);
  expect(config['retention.eventDays']).toBe(30);
});

test('all faults are listed at once, each with its source', () => {
  const attempt = () =>
    readConfig({
      flags: { 'listen.port': '70000' },
      env: { TIDEGATE_ROLES: 'gateway,cook', TIDEGATE_NO_SUCH: 'x' },
      file,
    });
  expect(attempt).toThrow(ConfigError);
  try {
    attempt();
  } catch (error) {
    expect((error as ConfigError).faults).toEqual([
      'TIDEGATE_NO_SUCH: there is no such setting: remove it, or correct its name',
      expect.stringMatching(/^roles \(TIDEGATE_ROLES\): .*\(given: "gateway,cook"\): docs\/settings\.md/),
      expect.stringMatching(/^listen\.port \(command line\): .*<=65535 \(given: "70000"\): docs\/settings\.md/),
    ]);
  }
});

test('a fault shows an excerpt of its value, but nothing of a secret', async () => {
  const faultsOf = (sources: ConfigSources): string => {
    try {
      readConfig(sources);
    } catch (error) {
      return (error as ConfigError).message;
    }
    return '';
  };
  const long = faultsOf({ flags: { 'log.level': `loud${'!'.repeat(5_000)}` } });
  expect(long).toContain('log.level (command line)');
  expect(long.length).toBeLessThan(500);
  const broken = join(folder, 'unended.yaml');
  await writeFile(broken, 'listen.port: 1\ndatabase.password: "hunter2\n');
  expect(faultsOf({ file: broken })).toMatch(/the settings file: line \d+ is not valid/);
  expect(faultsOf({ file: broken })).not.toContain('hunter2');
  const unread = faultsOf({ flags: { 'redis.passwordFile': join(folder, 'none') } });
  expect(unread).toMatch(/redis\.passwordFile: can't be used: ENOENT/);
});

test('the single key of earlier versions is refused, with instructions', () => {
  for (const source of [{ flags: { 'keys.trustFile': '/x' } }, { env: { TIDEGATE_KEYS_TRUST_FILE: '/x' } }])
    expect(() => readConfig(source)).toThrow(/tidegate keys create FOLDER.*keys\.folder/);
});

test('the former name of a setting is refused, and the message has the new name', () => {
  const urls = 'wss://control.example.net:4140/link';
  for (const source of [
    { flags: { 'objectController.centreUrls': urls } },
    { env: { TIDEGATE_OBJECT_CONTROLLER_CENTRE_URLS: urls } },
  ])
    expect(() => readConfig(source)).toThrow('rename it to objectController.controlPlaneUrls');
});

test('dependent settings are checked together', () => {
  expect(() => readConfig({ flags: { 'listen.tls.certFile': '/x' } })).toThrow('give both or neither');
  expect(() => readConfig({ flags: { 'redis.path': '/x', 'redis.host': 'y' } })).toThrow('give one');
  for (const other of ['redis.path', 'redis.host'])
    expect(() => readConfig({ flags: { 'redis.sentinels': 'a', [other]: '/x' } })).toThrow('give one');
  const strict = (hosts: string) => readConfig({ flags: { 'ha.strict': 'true', 'database.host': hosts } });
  expect(() => strict('a')).toThrow('name the servers in database.host');
  expect(strict('a,b')['ha.strict']).toBe(true);
});

test('a password is read from a file, and never printed', async () => {
  const passwordFile = join(folder, 'password');
  await writeFile(passwordFile, 'hunter2-hunter2\n');
  const config = readConfig({
    flags: { 'database.passwordFile': passwordFile },
    env: { TIDEGATE_REDIS_PASSWORD: 'other-secret' },
  });
  expect(config['database.password']).toBe('hunter2-hunter2');
  const printed = printableConfig(config);
  expect(printed).not.toContain('hunter2');
  expect(printed).not.toContain('other-secret');
  expect(printed).toContain('database.password: (hidden)');
});

test('a missing or broken file is a fault, not a crash', async () => {
  expect(() => readConfig({ file: join(folder, 'none.yaml') })).toThrow(ConfigError);
  const broken = join(folder, 'broken.yaml');
  await writeFile(broken, 'a: [1\n');
  expect(() => readConfig({ file: broken })).toThrow(ConfigError);
});

test('every setting has a description', () => {
  for (const setting of describeSettings(subgraphRows)) expect(setting.meaning).not.toBe('');
});

test('origins are exact, and a refusal says what an origin is', () => {
  const given = 'https://app.example,http://localhost:5173';
  expect(readConfig({ flags: { 'listen.corsOrigins': given } })['listen.corsOrigins']).toEqual(given.split(','));
  for (const bad of ['*', 'null', 'https://*.example', 'https://app.example/', 'https://App.example', 'app.example'])
    expect(() => readConfig({ flags: { 'listen.corsOrigins': bad } })).toThrow('no wildcard');
  for (const bad of ['https://app.example:443', 'ftp://app.example', 'https://user@app.example'])
    expect(() => readConfig({ flags: { 'listen.corsOrigins': bad } })).toThrow('no wildcard');
});
