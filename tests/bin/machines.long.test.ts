// Machines on "real hosts": system, relay and gateway are separate processes, each identified by credentials that were issued to it or that
// it got with `tidegate join`. A revoked machine is cut off, and may join again as a new one.
import { copyFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Agent, request } from 'undici';
import { firstAccounts } from '../../compose/first-accounts.ts';
import { startProcess } from '../../compose/process.ts';
import { createLogger } from '../../platform/log/log.ts';
import { makeAuthority } from '../../platform/machines/authority.ts';
import { readMachineFile } from '../../platform/machines/machine-file.ts';
import { readConfig } from '../../platform/process/config.ts';
import { makeKeys } from '../../platform/secrets/make-keys.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { runCommand } from '../cli/commands/run-command.ts';
import { freePort } from '../support/machine/free-port.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';
import { makeCertificates, type TestCertificates } from '../support/product/certificates.ts';
import { type TestDatabase, testDatabase } from '../support/stores/database.ts';
import { startProgram } from './support/up-process.ts';

let folder: TemporaryFolder;
let database: TestDatabase;
let front: TestCertificates;
let agent: Agent;
let token: string;
const ports = { gateway: 0, system: 0, relay: 0, watch: 0 };
const programs = new Map<string, ReturnType<typeof startProgram>>();

beforeAll(async () => {
  folder = await temporaryFolder();
  database = await testDatabase();
  front = await makeCertificates(folder.path, 'front');
  agent = new Agent({ connect: { ca: front.ca } });
  for (const name of ['gateway', 'system', 'relay', 'watch'] as const) ports[name] = await freePort();
  await makeKeys(keys('all'));
  await makeAuthority(keys('all'));
  await giveKeys('gateway', ['gateway.keys']);
  await giveKeys('system', ['public.keys', 'system.keys', 'subgraphs.keys', 'authority.pem', 'authority.key']);
  await giveKeys('relay', ['public.keys', 'subgraphs.keys', 'sealing.keys']);
  const settings = {
    system: { 'internal.systemPort': ports.system, 'watch.port': ports.watch },
    relay: { 'internal.relayPort': ports.relay },
    gateway: {
      'listen.port': ports.gateway,
      'listen.tls.certFile': front.files.cert,
      'listen.tls.keyFile': front.files.key,
      'subgraphs.systemUrl': `https://127.0.0.1:${ports.system}`,
      'subgraphs.relayUrl': `https://127.0.0.1:${ports.relay}`,
    },
  };
  for (const [name, own] of Object.entries(settings))
    await writeFile(file(name), JSON.stringify({ ...common(name), ...own, roles: [name] }));
  await makeAccounts();
  for (const role of ['system', 'gateway']) {
    const options = ['--role', role, '--folder', machines(role), '--endpoint', endpoint()];
    const issued = await runCommand(
      ['machines', 'issue', `${role}-1`, ...options, '--endpoint-ca', front.files.ca, '--config', file('system')],
      {},
    );
    expect(issued).toMatchObject({ exitCode: 0, stdout: `${join(machines(role), `${role}.json`)}\n` });
    start(role);
  }
  await waitFor('the gateway to be ready', isReady);
});

afterAll(async () => {
  for (const program of programs.values()) program.child.kill('SIGKILL');
  await Promise.all([...programs.values()].map((program) => program.ended));
  await agent?.close();
  await database?.drop();
  await folder?.remove();
});

const file = (name: string): string => join(folder.path, `${name}.json`);
const keys = (host: string): string => join(folder.path, `keys-${host}`);
const machines = (host: string): string => join(folder.path, `machine-${host}`);
const endpoint = (): string => `https://127.0.0.1:${ports.gateway}/graphql`;

async function giveKeys(host: string, names: readonly string[]): Promise<void> {
  await mkdir(keys(host));
  await mkdir(machines(host), { mode: 0o700 });
  for (const name of names) await copyFile(join(keys('all'), name), join(keys(host), name));
}

function common(host: string): Record<string, unknown> {
  const shared = {
    'keys.folder': keys(host),
    'internal.machineFolder': machines(host),
    // There is no process at the first address.
    'internal.machineUrls': ['https://127.0.0.1:1/graphql', endpoint()],
    'log.level': 'info',
  };
  if (host === 'gateway') return shared;
  const { socketPath, user, password, database: name } = database.connection;
  return {
    ...shared,
    'database.socketPath': socketPath,
    'database.user': user,
    'database.password': password,
    'database.name': name,
    'redis.path': database.redisPath,
  };
}

async function makeAccounts(): Promise<void> {
  const config = readConfig({ file: file('system') }, subgraphRows);
  const alone = { ...config, 'internal.systemPort': undefined, 'internal.machineFolder': undefined };
  const running = await startProcess(alone, createLogger({ level: 'silent', pretty: false }));
  if (running.access === undefined) throw new Error('no system');
  token = (await firstAccounts(running.access, folder.path)).token;
  await running.stop();
}

function start(name: string): void {
  programs.set(name, startProgram(['serve', '--as-root', '--config', file(name)]));
}

async function isReady(): Promise<boolean> {
  const answer = await request(`https://127.0.0.1:${ports.gateway}/health/live`, { dispatcher: agent }).catch(
    () => undefined,
  );
  await answer?.body.dump();
  return answer?.statusCode === 200 && (await ask('{ me { name } }')).errors === undefined;
}

interface Answered {
  readonly data: Record<string, unknown> | null;
  readonly errors?: readonly { readonly extensions: { readonly code: string } }[];
}

async function ask(query: string, bearer = token): Promise<Answered> {
  const answer = await request(endpoint(), {
    dispatcher: agent,
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${bearer}` },
    body: JSON.stringify({ query }),
  });
  return (await answer.body.json()) as Answered;
}

const relayAnswers = async () => (await ask('{ backends { nodes { id } } }')).errors === undefined;

/**
 * It acts as an administrator on a host that trusts the endpoint's authority. It is a separate process, because it is configured by its environment.
 */
async function asAdmin(...args: string[]): Promise<string> {
  const login = ['--url', endpoint(), '--user', 'admin', '--password-file', join(folder.path, 'admin.password')];
  const program = startProgram([...args, ...login], { NODE_EXTRA_CA_CERTS: front.files.ca });
  const { code } = await program.ended;
  if (code !== 0) throw new Error(program.output());
  return program.output();
}

async function invite(name: string, role: string): Promise<string> {
  const shown = await asAdmin('machines', 'create', name, '--role', role);
  return /tgj_\S+/.exec(shown)?.[0] ?? '';
}

const joinWith = (joinToken: string, host: string) =>
  runCommand(['join', joinToken, '--folder', machines(host), '--endpoint-ca', front.files.ca, '--url', endpoint()]);

const atDatabase = (...args: string[]) => runCommand([...args, '--config', file('system')]);

/** The output of a command as that user, or its failure. */
async function logInAs(name: string, shown: string): Promise<string> {
  const password = /^password: (\S+)$/m.exec(shown)?.[1] ?? '';
  const path = join(folder.path, 'given.password');
  await writeFile(path, `${password}\n`, { mode: 0o600 });
  const login = ['--url', endpoint(), '--user', name, '--password-file', path];
  const program = startProgram(['users', 'list', ...login], { NODE_EXTRA_CA_CERTS: front.files.ca });
  await program.ended;
  return program.output();
}

test('an administrator is made in the database, beside a running system, and gets a new password there', async () => {
  const made = await atDatabase('users', 'create', 'alice', '--admin');
  expect(made).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^user alice is created\npassword: \S{24}\n$/),
  });
  expect(await logInAs('alice', made.stdout)).toMatch(/alice +true +true/);
  expect(await atDatabase('users', 'create', 'alice')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('ALREADY_EXISTS'),
  });
  const file = join(folder.path, 'chosen.password');
  await writeFile(file, 'a phrase of many words\n', { mode: 0o600 });
  await asAdmin('users', 'update', 'alice', '--enabled', 'false', '--admin', 'false');
  const recovered = await atDatabase('users', 'create', 'alice', '--recover', '--admin', '--user-password-file', file);
  expect(recovered).toMatchObject({ exitCode: 0, stdout: 'user alice can log in again\n' });
  expect(await logInAs('alice', made.stdout)).toContain('BAD_CREDENTIALS');
  expect(await logInAs('alice', 'password: a')).toContain('BAD_CREDENTIALS');
  const login = ['--url', endpoint(), '--user', 'alice', '--password-file', file];
  const program = startProgram(['audit', 'list', '--subject', 'alice', ...login], {
    NODE_EXTRA_CA_CERTS: front.files.ca,
  });
  await program.ended;
  expect(program.output()).toMatch(/recoverUser[\s\S]*createUser/);
});

test('wrong use of the database is refused, and changes nothing', async () => {
  const short = join(folder.path, 'short.password');
  await writeFile(short, 'short\n', { mode: 0o600 });
  const cases: readonly (readonly [args: readonly string[], exitCode: number, said: string])[] = [
    [['nobody', '--recover'], 1, 'NOT_FOUND'],
    [['bob', '--user-password-file', short], 1, 'password has 5 characters; at least 12 are needed'],
    [['b o b'], 1, 'INVALID_INPUT'],
    [['bob', '--url', endpoint()], 64, 'give --config or --url, not both'],
    [['bob', '--user-password-file', '/nowhere/password'], 1, "/nowhere/password can't be read"],
  ];
  for (const [args, exitCode, said] of cases)
    expect(await atDatabase('users', 'create', ...args)).toMatchObject({
      exitCode,
      stderr: expect.stringContaining(said),
    });
  expect(await runCommand(['users', 'create', 'bob', '--recover', '--user-password-file', short])).toMatchObject({
    exitCode: 64,
    stderr: expect.stringContaining('--recover needs --config'),
  });
  await expect(asAdmin('users', 'show', 'bob')).rejects.toThrow("there is no user 'bob'");
});

test('one command issues the machines of several roles: all of them or none', async () => {
  const issue = (roles: string, to: string) =>
    atDatabase('machines', 'issue', 'control-9', '--role', roles, '--folder', to, '--endpoint', endpoint());
  const to = join(folder.path, 'new', 'machine');
  expect(await issue('loadbalancer,gslb', to)).toMatchObject({
    exitCode: 0,
    stdout: ['loadbalancer', 'gslb'].map((role) => `${join(to, role)}.json\n`).join(''),
  });
  expect(await readMachineFile(to, 'gslb')).toMatchObject({ name: 'control-9-gslb', role: 'gslb' });
  const refused: readonly (readonly [roles: string, to: string, exitCode: number, said: string])[] = [
    ['relay,gslb', to, 1, 'ALREADY_EXISTS'],
    ['relay,nothing', to, 1, 'it must be one of'],
    ['relay,relay', to, 64, 'relay is given twice'],
    ['relay,', to, 64, 'has an empty role'],
    ['relay', join(front.files.ca, 'below'), 1, "can't be written (ENOTDIR)"],
  ];
  for (const [roles, into, exitCode, said] of refused)
    expect(await issue(roles, into)).toMatchObject({ exitCode, stderr: expect.stringContaining(said) });
  expect((await readdir(to)).sort()).toEqual(['gslb.json', 'loadbalancer.json']);
  expect(await asAdmin('machines', 'list')).not.toContain('control-9-relay');
});

test('a host joins with a token: its subgraph is called over mutual TLS', async () => {
  expect(await relayAnswers()).toBe(false);
  const joined = await joinWith(await invite('relay-1', 'relay'), 'relay');
  expect(joined).toMatchObject({ exitCode: 0, stderr: '' });
  const path = join(machines('relay'), 'relay.json');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(joined.stdout).not.toMatch(/tgm_|PRIVATE/);
  start('relay');
  await waitFor('the relay to answer', relayAnswers);
  expect(await asAdmin('machines', 'list')).toMatch(/relay-1 +relay +JOINED/);
});

test("a machine's token is valid for requests of machines, and for nothing else", async () => {
  const { token: machineToken } = await readMachineFile(machines('relay'), 'relay');
  expect(await ask('{ machineRevocations }', machineToken)).toMatchObject({ data: { machineRevocations: [] } });
  for (const query of [
    '{ me { name } }',
    '{ backends { nodes { id } } }',
    '{ health { name } }',
    '{ __schema { description } }',
  ])
    expect((await ask(query, machineToken)).errors?.[0]?.extensions.code).toBe('FORBIDDEN');
});

/** Whether a TLS connection is kept. Requests on it are up to the next layer. */
async function isAdmitted(port: number, host: string, role: string): Promise<boolean> {
  const { certificate: cert, key, authority: ca } = await readMachineFile(machines(host), role);
  const socket = connect({ host: '127.0.0.1', port, cert, key, ca, checkServerIdentity: () => undefined });
  return new Promise((resolve) => {
    socket.once('error', () => resolve(false)).once('close', () => resolve(false));
    socket.once('data', () => resolve(true));
    socket.write('GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n');
  }).finally(() => socket.destroy()) as Promise<boolean>;
}

test('a machine of another role is refused before a byte is read: only gateways are admitted', async () => {
  expect(await isAdmitted(ports.system, 'gateway', 'gateway')).toBe(true);
  expect(await isAdmitted(ports.system, 'relay', 'relay')).toBe(false);
  expect(await isAdmitted(ports.relay, 'system', 'system')).toBe(false);
});

test('a subgraph that presents the certificate of another role is rejected', async () => {
  programs.get('relay')?.child.kill('SIGKILL');
  await programs.get('relay')?.ended;
  const own = join(machines('relay'), 'relay.json');
  const kept = await readFile(own, 'utf8');
  const stolen = await readMachineFile(machines('gateway'), 'gateway');
  await writeFile(own, JSON.stringify({ ...stolen, role: 'relay' }));
  start('relay');
  await waitFor('the relay to be served', async () => programs.get('relay')?.output().includes('ready') ?? false);
  expect(await relayAnswers()).toBe(false);
  await writeFile(own, kept);
  await waitFor('the right certificate to be taken', relayAnswers);
});

test('a revoked machine is cut off within seconds, including on existing connections', async () => {
  const { id } = await readMachineFile(machines('relay'), 'relay');
  expect(await relayAnswers()).toBe(true);
  expect(await asAdmin('machines', 'revoke', 'relay-1')).toContain('relay-1 is revoked');
  await waitFor('the gateway to refuse it', async () => !(await relayAnswers()));
  await expect(asAdmin('machines', 'show', 'relay-1')).rejects.toThrow("there is no machine 'relay-1'");
  expect(await asAdmin('machines', 'show', id)).toContain('REVOKED');
});

test('it joins again under its name, and the running process uses the new credentials', async () => {
  const before = programs.get('relay')?.child.pid;
  expect(await joinWith(await invite('relay-1', 'relay'), 'relay')).toMatchObject({ exitCode: 0 });
  await waitFor('the relay to answer again', relayAnswers);
  expect(programs.get('relay')?.child.pid).toBe(before);
  expect(await readdir(machines('relay'))).toEqual(['relay.json']);
});

test('credentials are renewed after half of their lifetime, on the disk too', async () => {
  const path = join(machines('relay'), 'relay.json');
  const before = await readMachineFile(machines('relay'), 'relay');
  const inThreeDays = new Date(Date.now() + 3 * 86_400_000).toISOString();
  await writeFile(path, JSON.stringify({ ...before, expiresAt: inThreeDays }));
  const now = () => readMachineFile(machines('relay'), 'relay');
  await waitFor('the credentials to be renewed', async () => (await now()).token !== before.token);
  const { key, certificate, expiresAt } = await now();
  expect(key).not.toBe(before.key);
  expect(certificate).not.toBe(before.certificate);
  expect(expiresAt > inThreeDays).toBe(true);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  await waitFor('the relay to answer', relayAnswers);
});

test('a used token, a truncated one, and one for another authority give no credentials', async () => {
  const joinToken = await invite('relay-2', 'relay');
  expect(await joinWith(joinToken, 'system')).toMatchObject({ exitCode: 0 });
  expect(await joinWith(joinToken, 'gateway')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('BAD_CREDENTIALS'),
  });
  expect(await joinWith(joinToken.slice(0, -1), 'gateway')).toMatchObject({
    exitCode: 64,
    stderr: expect.stringContaining('TOKEN is not a join token'),
  });
  expect(await readdir(machines('gateway'))).toEqual(['gateway.json']);
});

test('credentials are not sent unencrypted to another host', async () => {
  const clear = await runCommand([
    'join',
    `tgj_${'A'.repeat(43)}.${'0'.repeat(64)}`,
    '--folder',
    folder.path,
    '--url',
    'http://192.0.2.1/graphql',
  ]);
  expect(clear).toMatchObject({ exitCode: 64, stderr: expect.stringContaining('use https') });
});
