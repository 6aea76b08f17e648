// Secrets of backends never leak. A whole system at its most verbose log level uses them in every way, successfully and
// not, on devices that quote them. Then all its output and stored data are searched for each secret in every form.
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { createConnection } from 'mariadb';
import ssh2 from 'ssh2';
import { FortiGate } from '../../../simulators/fortios/fortigate.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';
import { EchoingDevice, keptRule } from './support/echoing-device.ts';
import { formsOf, hunt } from './support/secret-hunt.ts';
import { separateBackends } from './support/separate-backends.ts';
import { type Answer, WatchedSystem } from './support/watched-system.ts';
import { pinOf } from './transports/support/web-device.ts';

/** Random, with characters that every encoding has to escape. */
const secret = (name: string) => `${name}"&+/%=${randomBytes(9).toString('base64url')}`;

const passphrase = secret('phrase');
const encrypted = ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256, cipher: 'aes256-ctr', rounds: 16, passphrase });
const keyLines = encrypted.private.split('\n').filter((line) => line.length > 40);

const secrets: Record<string, string> = {
  password: secret('ssh'),
  'wrong password': secret('wrong'),
  'password that was refused with the input': secret('refused'),
  'password of the web device': secret('web'),
  passphrase,
  'first line of the private key': keyLines[1] ?? '',
  'last line of the private key': keyLines.at(-1) ?? '',
  'API token': randomBytes(24).toString('base64url'),
  'password of Redis': secret('redis'),
};
/** Sent where no string is valid. */
const quotedByGraphql = secret('nogood');
const of = (name: keyof typeof secrets) => secrets[name] ?? '';

let watched: WatchedSystem;
let ssh: EchoingDevice;
let keyed: EchoingDevice;
let gate: FortiGate;

beforeAll(async () => {
  ssh = await EchoingDevice.start({ password: of('password') });
  keyed = await EchoingDevice.start({ publicKeys: [encrypted.public] });
  gate = await FortiGate.start({
    ...{ username: 'admin', password: of('password of the web device') },
    apiUsers: [{ token: of('API token') }],
  });
  watched = await WatchedSystem.start();
  secrets["operator's API token"] = watched.system.token;
  secrets["administrator's password"] = await watched.adminPassword();
  secrets['password of the database'] = watched.system.database.connection.password;
});

afterAll(async () => {
  await watched?.stop();
  await Promise.all([ssh?.ssh.stop(), keyed?.ssh.stop(), gate?.stop()]);
});

const operationFields = `operation { id state result wireCall deviceError { code message } arguments stateSource
  evidence { source finding note } changedMappings { objectKey uuid wantedSettings { name value } lastVerification { result } } }`;

async function register(name: string, more: Record<string, unknown>): Promise<void> {
  const { host, port, hostKeySha256 } = ssh.ssh;
  const input = { name, driver: 'linux-nftables', host, port, hostKeySha256, ...more };
  const { userErrors } = await watched.mutate('backendCreate', input, 'backend { id credentialFields }');
  expect(userErrors).toEqual([]);
  await separateBackends(watched.system.database);
}

function add(backend: string, address: string, more: object = {}): Promise<Answer> {
  const input = { backend: { name: backend }, set: 'blocked', address, idempotencyKey: watched.freshKey(), ...more };
  return watched.mutate('firewallAddressSetElementAdd', input, operationFields);
}

function addAddress(backend: string, name: string): Promise<Answer> {
  const input = {
    backend: { name: backend },
    name,
    content: { address: '10.9.0.0/24' },
    idempotencyKey: watched.freshKey(),
  };
  return watched.mutate('firewallAddressCreate', input, operationFields);
}

async function read(backend: string, operation: string): Promise<string> {
  const fields = 'result wireCall deviceError { code message } userErrors { code message }';
  const query = `query ($input: RelayReadInput!) { relayRead(input: $input) { ${fields} } }`;
  const input = { backend: { name: backend }, operation, arguments: {} };
  return (await watched.post({ query, variables: { input } })).text;
}

/** The SSH device's password in every form that JSON leaves unchanged. */
const quoted = () => [...new Set(formsOf(of('password')).values())].filter((form) => !form.includes('\\')).join(' or ');

describe('uses of the secrets', () => {
  test('successful calls: by password, by key with a passphrase, by API token, by a web login', async () => {
    await register('ssh', { credentials: { username: 'netops', password: of('password') } });
    await register('keyed', {
      ...{ host: keyed.ssh.host, port: keyed.ssh.port, hostKeySha256: keyed.ssh.hostKeySha256 },
      credentials: { username: 'netops', privateKey: encrypted.private, passphrase },
    });
    const web = { driver: 'fortios', host: gate.https.host, port: gate.https.port, hostKeySha256: null };
    const certificateSha256 = pinOf(gate.https.certificate.sha256);
    const token = { username: 'api', apiToken: of('API token') };
    await register('token', { ...web, certificateSha256, credentials: token });
    const password = of('password of the web device');
    await register('web', { ...web, certificateSha256, credentials: { username: 'admin', password } });
    for (const name of ['ssh', 'keyed'])
      expect(await add(name, '10.0.0.1')).toMatchObject({ operation: { state: 'SUCCEEDED' } });
    for (const name of ['token', 'web']) {
      expect(await addAddress(name, `${name}-net`)).toMatchObject({ operation: { state: 'SUCCEEDED' } });
    }
    expect(await read('ssh', 'table.list')).toContain('"deviceError":null');
  });

  test('a wrong password, another host key, another certificate: refused, and not retried', async () => {
    const wrong = of('wrong password');
    await register('wrong', { credentials: { username: 'netops', password: wrong } });
    const failed = await add('wrong', '10.0.1.1');
    expect(JSON.stringify(failed)).toContain('AUTH_FAILED');
    expect(await add('wrong', '10.0.1.1')).toMatchObject({ userErrors: [{ code: 'CIRCUIT_OPEN' }] });
    const hostKeySha256 = `SHA256:${'A'.repeat(43)}`;
    await register('mismatch', { hostKeySha256, credentials: { username: 'netops', password: of('password') } });
    expect(JSON.stringify(await add('mismatch', '10.0.1.2'))).toContain('HOST_KEY_MISMATCH');
    const web = { driver: 'fortios', host: gate.https.host, port: gate.https.port, hostKeySha256: null };
    const certificateSha256 = `SHA256:${'B'.repeat(43)}`;
    const credentials = { username: 'admin', password: of('password of the web device') };
    await register('certificate', { ...web, certificateSha256, credentials });
    expect(await read('certificate', 'address.list')).toContain('CERTIFICATE_MISMATCH');
    await register('web-wrong', {
      ...{ ...web, certificateSha256: pinOf(gate.https.certificate.sha256) },
      credentials: { username: 'admin', password: wrong },
    });
    expect(await read('web-wrong', 'address.list')).toContain('AUTH_FAILED');
    const badPhrase = { username: 'netops', privateKey: encrypted.private, passphrase: wrong };
    await register('phrase', { credentials: badPhrase });
    expect(JSON.stringify(await add('phrase', '10.0.1.3'))).toContain('AUTH_FAILED');
  });

  test('refused mutations with credentials in them', async () => {
    const password = of('password that was refused with the input');
    const { host, port } = ssh.ssh;
    const input = { name: 'bad', driver: 'linux-nftables', host, port, credentials: { username: 'u', password } };
    const refused = async (change: object, code: string) => {
      const answer = await watched.mutate('backendCreate', { ...input, ...change }, 'backend { id }');
      expect(answer).toMatchObject({ backend: null, userErrors: [{ code }] });
    };
    await refused({ host: 'no host' }, 'INVALID_INPUT');
    await refused({ driver: 'no-driver' }, 'INVALID_INPUT');
    await refused({ credentials: { username: 'u', password, privateKey: encrypted.private } }, 'INVALID_INPUT');
    await refused({ credentials: { username: 'u', apiToken: password } }, 'INVALID_INPUT');
    await refused({ credentials: { username: 'u', password: `${password}\u0007` } }, 'INVALID_INPUT');
    await refused({ credentials: { username: 'u', password: password.padEnd(2_000, password) } }, 'TOO_LONG');
    await refused({ name: 'ssh' }, 'ALREADY_EXISTS');
    await watched.mutate('backendCreate', { ...input, idempotencyKey: 'same', name: 'first' }, 'backend { id }');
    await refused({ idempotencyKey: 'same', credentials: { username: 'v', password } }, 'KEY_CONFLICT');
    const update = { id: 'none', credentials: { username: 'u', password } };
    expect(await watched.mutate('backendUpdate', update, 'backend { id }')).toMatchObject({
      userErrors: [{ code: 'NOT_FOUND' }],
    });
    const call = { backend: { name: 'ssh' }, operation: 'rule.create', arguments: { password, secret: password } };
    expect(await watched.mutate('relayCall', call, 'operation { id }')).toMatchObject({
      userErrors: [{ code: 'INVALID_ARGUMENTS' }, {}, {}, {}],
    });
  });

  test('invalid GraphQL requests, or even invalid JSON, with credentials in them', async () => {
    const password = quotedByGraphql;
    const query = 'mutation ($input: BackendCreateInput!) { backendCreate(input: $input) { backend { id } } }';
    const variables = (credentials: unknown) => ({ input: { name: 'x', driver: 'd', host: 'h', credentials } });
    const literal = (text: string) =>
      `mutation { backendCreate(input: {name: "x", credentials: ${text}}) { userErrors { code } } }`;
    const asText = JSON.stringify(password);
    const bodies: unknown[] = [
      { query, variables: variables({ password }) },
      { query, variables: variables({ username: 'u', passwort: password }) },
      { query, variables: variables(password) },
      { query, variables: variables([{ username: 'u', password: { is: password } }]) },
      { query, variables: { input: { credentials: { username: 7, password } } } },
      { query, variables: password },
      { query: literal(`{password: ${asText}}`) },
      { query: literal(`{username: "u", passwort: ${asText}}`) },
      { query: literal(asText) },
      { query: `mutation { login(input: {name: "admin", password: ${asText}, extra: ${asText}}) { accessToken } }` },
      `{"query": "${query}", "variables": {"input": {"credentials": {"password": ${asText}}}`,
      password,
    ];
    for (const body of bodies) {
      const { text } = await watched.post(body);
      expect(text).toContain('errors');
    }
    const wrongLogin = { query: 'mutation ($input: LoginInput!) { login(input: $input) { userErrors { code } } }' };
    const answer = await watched.post({ ...wrongLogin, variables: { input: { name: 'admin', password } } });
    expect(answer.text).toContain('BAD_CREDENTIALS');
    const search = new URLSearchParams({ query, variables: JSON.stringify(variables({ username: 'u', password })) });
    const get = await fetch(`${watched.system.url}?${search}`, {
      headers: { authorization: `Bearer ${watched.system.token}` },
    });
    watched.exhibits.push({ where: 'answer', text: await get.text() });
  });

  test('a database that fails during calls', async () => {
    const password = of('password that was refused with the input');
    const db = await createConnection({ ...watched.system.database.connection });
    try {
      for (const table of ['backend_credential', 'audit_entry', 'idempotency_key']) {
        await db.query(`RENAME TABLE ${table} TO put_away`);
        const input = {
          name: `without-${table}`,
          driver: 'linux-nftables',
          host: '127.0.0.1',
          idempotencyKey: watched.freshKey(),
        };
        const query = `mutation ($input: BackendCreateInput!) { backendCreate(input: $input) { backend { id } userErrors { code message } } }`;
        const credentials = { username: 'u', password };
        const { text } = await watched.post({ query, variables: { input: { ...input, credentials } } });
        await db.query(`RENAME TABLE put_away TO ${table}`);
        expect(text).toContain('INTERNAL');
      }
    } finally {
      await db.end();
    }
  });

  test('commands: lists, an import with and without faults, the audit trail, the settings', async () => {
    const at = ['--url', watched.system.url];
    const env = { TIDEGATE_TOKEN: watched.system.token, TIDEGATE_SECRET_FW: of('password'), TOKEN: of('API token') };
    const file = join(watched.system.folder, 'backends.yaml');
    const entry = (password: string) =>
      `- { name: imported, driver: linux-nftables, host: 192.0.2.1, credentials: { username: u, password: ${password} } }\n`;
    await writeFile(file, entry('{ env: TIDEGATE_SECRET_FW }'));
    expect(await watched.command(['backends', 'import', file, '--json', ...at], env)).toBe(0);
    await writeFile(file, entry(JSON.stringify(of('password'))));
    expect(await watched.command(['backends', 'import', file, ...at], env)).toBe(1);
    for (const list of ['backends', 'operations']) expect(await watched.command([list, 'list', ...at], env)).toBe(0);
    expect(await watched.command(['backends', 'show', 'ssh', '--json', ...at], env)).toBe(0);
    const { socketPath, user, password, database } = watched.system.database.connection;
    const config = join(watched.system.folder, 'settings.json');
    await writeFile(
      config,
      JSON.stringify({
        ...{ 'database.socketPath': socketPath, 'database.user': user, 'database.name': database },
        ...{ 'database.password': password, 'redis.password': of('password of Redis'), 'redis.path': '/r' },
      }),
    );
    expect(await watched.command(['serve', '--config', config, '--print-config'])).toBe(0);
    expect(watched.exhibits.at(-1)?.text).toContain('redis.password: (hidden)');
    expect(await watched.command(['audit', 'export', '--config', config])).toBe(0);
    expect(watched.exhibits.at(-1)?.text).toContain('backendCreate');
  });
});

describe('devices that quote the secrets', () => {
  test('a refusal, a result and an unreadable reply quote them: the backend continues, and its output is kept', async () => {
    ssh.quote('in a refusal', quoted());
    expect(await add('ssh', '10.0.2.1')).toMatchObject({ operation: { state: 'FAILED' } });
    expect(await add('ssh', '10.0.2.1', { dryRun: true })).toMatchObject({ operation: null });
    expect(await read('ssh', 'table.list')).toContain('has no right');
    ssh.quote('in a result', quoted());
    expect(await read('ssh', 'ruleset.read')).toContain('"handle":7');
    await waitFor('a check that takes it for its version', async () =>
      JSON.stringify(await watched.post({ query: '{ backends { nodes { health { softwareVersion } } } }' })).includes(
        '1.0.6 ',
      ),
    );
    const cmpObject = { type: 'tenant', externalId: '7' };
    const object = { backend: { name: 'ssh' }, resource: 'rule', scope: 'inet filter forward', objectKey: keptRule };
    const fields =
      'mapping { id wantedSettings { name value } lastVerification { result differences { path wanted found } } }';
    const { mapping } = await watched.mutate(
      'mappingAdopt',
      { ...object, cmpObject, idempotencyKey: watched.freshKey() },
      fields,
    );
    ssh.quote('in a result', `${quoted()}, again`);
    await watched.mutate('mappingVerify', { id: mapping?.id, idempotencyKey: watched.freshKey() }, fields);
    ssh.quote('in nonsense', quoted());
    const lost = await add('ssh', '10.0.2.2');
    expect(lost).toMatchObject({ operation: { state: 'UNKNOWN' } });
    await watched.mutate('relayOperationSettle', { id: lost.operation?.id }, operationFields);
    ssh.quote('nothing');
  });

  test('a web device quotes them in an error, in a page and in its identity', async () => {
    const envelope = { http_method: 'POST', vdom: 'root', path: 'firewall', name: 'address', status: 'error' };
    const sayings = [
      (words: string) => [500, JSON.stringify({ ...envelope, http_status: 500, error: -1, cli_error: words })] as const,
      (words: string) => [500, `<html><title>bad ${words}</title></html>`] as const,
      (words: string) => [200, words] as const,
    ];
    // Its own secrets, because a device never gets another's.
    const own = { token: of('API token'), web: of('password of the web device') };
    for (const saying of sayings)
      for (const [name, words] of Object.entries(own)) {
        const [status, body] = saying(words);
        gate.answerInstead = ({ path }) => (path.startsWith('/api/v2/cmdb/') ? { status, body } : undefined);
        const { operation } = await addAddress(name, watched.freshKey());
        expect(['FAILED', 'UNKNOWN']).toContain(operation?.state);
        await read(name, 'address.list');
      }
    const words = own.token;
    // Also not during a health check of the other one.
    gate.answerInstead = ({ path, headers }) =>
      path === '/api/v2/monitor/system/status' && headers.authorization === `Bearer ${words}`
        ? { status: 200, body: JSON.stringify({ status: 'success', version: words, build: 1, serial: words }) }
        : undefined;
    expect(await read('token', 'system.info')).toMatch(/serial.*•••/);
    gate.answerInstead = undefined;
  });
});

describe('visible traces', () => {
  beforeAll(async () => {
    await waitFor('a check after all that', async () =>
      (await watched.post({ query: '{ backends { nodes { name health { softwareVersion } } } }' })).text.includes(
        '"name":"ssh","health":{"softwareVersion":"nftables 1.0.6"}',
      ),
    );
    const input = { name: 'last', driver: 'linux-nftables', host: '127.0.0.1', port: 9 };
    const credentials = { username: 'netops', password: of('password') };
    const { backend } = await watched.mutate('backendCreate', { ...input, credentials }, 'backend { id }');
    await waitFor('the last event', () =>
      watched.exhibits.some(({ where, text }) => where === 'stream statusChanges' && text.includes(backend?.id ?? '?')),
    );
    const pages = [
      `{ backends(first: 100) { nodes { name host options credentialFields health { message softwareVersion serial }
        circuit { reason } } } }`,
      '{ relayOperations(first: 100) { nodes { state result wireCall arguments deviceError { code message } evidence { note } } } }',
      '{ mappings(first: 100) { nodes { objectKey uuid wantedSettings { name value } lastVerification { result } } } }',
      '{ statusHistory(first: 100) { nodes { kind from to reason } } }',
      '{ auditEntries(first: 100) { nodes { action outcome code details } } }',
    ];
    const admin = await watched.login('admin', of("administrator's password"));
    for (const query of pages) {
      const { text } = await watched.post({ query }, admin);
      if (text.includes('"errors"')) throw new Error(text);
    }
    for (const path of ['/metrics', '/health/ready', '/health/live', '/'])
      watched.exhibits.push({ where: path, text: await (await fetch(new URL(path, watched.system.url))).text() });
    watched.exhibits.push(...(await watched.tables()), ...(await watched.redis()));
  });

  test('everything recorded some output', () => {
    const places = new Set(watched.exhibits.map(({ where }) => where.split(/[, ]/)[0]));
    const here = ['log', 'answer', 'headers', 'stream', 'tidegate', 'table', 'Redis'];
    expect(places).toEqual(new Set([...here, '/metrics', '/health/ready', '/health/live', '/']));
    expect(watched.exhibits.filter(({ where }) => where === 'log').length).toBeGreaterThan(10);
    const sealed = watched.exhibits.filter(({ where }) => where === 'table backend_credential, column sealed, in hex');
    expect(sealed.length).toBeGreaterThan(15);
    for (const stream of ['statusChanges', 'relayOperationChanges', 'backendChanges'])
      expect(watched.exhibits.filter(({ where }) => where === `stream ${stream}`).length).toBeGreaterThan(10);
  });

  test("the devices' quotes appear in the output, without the secrets", () => {
    const hidden = (where: string) =>
      watched.exhibits.filter((each) => each.where === where && each.text.includes('•••'));
    expect(hidden('table operation, column error_message').length).toBeGreaterThan(3);
    expect(hidden('answer').some(({ text }) => text.includes('"softwareVersion":"nftables 1.0.6 •••'))).toBe(true);
    expect(hidden('table status_change, column reason').length).toBeGreaterThan(3);
    expect(hidden('table mapping, column desired').length).toBeGreaterThan(0);
    expect(hidden('table mapping, column verify_diff').length).toBeGreaterThan(0);
    expect(hidden('answer').some(({ text }) => /"result":\{[^}]*•••/.test(text))).toBe(true);
    expect(hidden('stream relayOperationChanges').length).toBeGreaterThan(3);
    expect(hidden('table audit_entry, column details').length).toBeGreaterThan(5);
  });

  test('no output contains a secret, in any form', () => {
    expect(hunt(secrets, watched.exhibits)).toEqual([]);
  });

  test('the answer to an invalid request that contained a secret does not repeat it', () => {
    expect(hunt({ 'password in a request': quotedByGraphql }, watched.exhibits)).toEqual([]);
  });

  test('a planted secret is found, anywhere and in any form', async () => {
    const planted = secret('planted');
    const [db, redis] = [
      await createConnection({ ...watched.system.database.connection }),
      new Redis({ path: watched.system.database.redisPath }),
    ];
    const place = `planted-${randomBytes(6).toString('hex')}`;
    try {
      for (const [form, text] of formsOf(planted)) {
        expect([form, hunt({ planted }, watched.exhibits)]).toEqual([form, []]);
        // The log escapes escaped text once more.
        watched.log.trace({ device: { said: text.includes('\\\\') ? planted : text } }, 'planted');
        const logged = watched.exhibits.splice(-1);
        expect([form, hunt({ planted }, logged)]).not.toEqual([form, []]);
        await db.query('CREATE OR REPLACE TABLE planted (id INT, words TEXT, raw VARBINARY(255))');
        await db.query('INSERT INTO planted VALUES (1, ?, NULL), (2, NULL, ?)', [
          `a ${text} b`,
          Buffer.from(`\u0001${text}`),
        ]);
        const found = hunt({ planted }, await watched.tables()).join('\n');
        expect([form, found]).toEqual([form, expect.stringContaining('in table planted, column words')]);
        expect([form, found]).toEqual([form, expect.stringContaining('in table planted, column raw')]);
        await redis.set(place, text);
        expect(hunt({ planted }, await watched.redis()).join('\n')).toContain(`in Redis ${place}`);
      }
      const { text } = await watched.post({
        query: `{ backend(id: ${JSON.stringify(planted)}) { id } }`,
        variables: {},
      });
      expect(text).toContain('data');
      const shown = await watched.mutate('backendDelete', { id: planted }, 'backend { id }');
      expect(shown.userErrors).toHaveLength(1);
      expect(hunt({ planted }, watched.exhibits)[0]).toMatch(/^planted \(.*\) in answer: /);
    } finally {
      await db.query('DROP TABLE IF EXISTS planted');
      await db.end();
      await redis.del(place);
      redis.disconnect();
    }
  });
});
