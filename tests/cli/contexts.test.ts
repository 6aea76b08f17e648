// Contexts: the server and login that a verb uses, the storage of logins, and that a session is renewed only once.
// needs: processes
import { chmod, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { runProgram } from '../../embedded/run-program.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/machine/temporary-folder.ts';
import { runCommand, startCommand } from './commands/run-command.ts';

const program = join(import.meta.dirname, '../../bin/tidegate');

interface Asked {
  readonly query: string;
  readonly variables: { readonly input?: Readonly<Record<string, string>> };
  readonly bearer: string | undefined;
}

/** Logs in and renews like the graph: each refresh token works once. */
class LoginServer {
  readonly asked: Asked[] = [];
  readonly #server: Server;
  /** Of access tokens. */
  lifeMs = 600_000;
  valid = 'access-0';
  refresh = 'refresh-0';
  #renewals = 0;
  /** Called between a renewal and its answer. */
  renewing = async (): Promise<void> => {};

  constructor() {
    this.#server = createServer(async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      const { query, variables } = JSON.parse(Buffer.concat(parts).toString()) as Omit<Asked, 'bearer'>;
      const bearer = request.headers.authorization?.replace('Bearer ', '');
      this.asked.push({ query, variables, bearer });
      const answer = this.#answer(query, variables.input ?? {}, bearer);
      if (query.includes('sessionRefresh(')) await this.renewing();
      response.end(JSON.stringify(answer));
    });
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get bearers(): (string | undefined)[] {
    return this.asked.map(({ bearer }) => bearer);
  }

  #answer(query: string, input: Readonly<Record<string, string>>, bearer: string | undefined): object {
    const refused = (code: string) => ({ userErrors: [{ code, message: 'refused', field: [] }] });
    if (/login\(/.test(query)) {
      const isRight = input.name === 'ann' && input.password === 'open sesame';
      return { data: { login: isRight ? this.#tokens() : refused('BAD_CREDENTIALS') } };
    }
    if (/sessionRefresh\(/.test(query)) {
      if (input.refreshToken !== this.refresh) return { data: { sessionRefresh: refused('SESSION_ENDED') } };
      this.#renewals += 1;
      [this.valid, this.refresh] = [`access-${this.#renewals}`, `refresh-${this.#renewals}`];
      return { data: { sessionRefresh: this.#tokens() } };
    }
    if (bearer !== this.valid && bearer !== 'tg_token')
      return { errors: [{ message: 'log in', extensions: { code: 'UNAUTHENTICATED' } }] };
    if (/logout/.test(query)) return { data: { logout: { userErrors: [] } } };
    const me = { name: bearer === 'tg_token' ? 'token:ci' : 'ann', admin: false, projects: [] };
    return { data: { me, relayDrivers: [] } };
  }

  #tokens(): object {
    const at = (ms: number) => new Date(Date.now() + ms).toISOString();
    return {
      ...{ accessToken: this.valid, accessTokenExpiresAt: at(this.lifeMs) },
      ...{ refreshToken: this.refresh, refreshTokenExpiresAt: at(7 * 86_400_000), userErrors: [] },
    };
  }
}

let folder: TemporaryFolder;
let server: LoginServer;
let other: LoginServer;
const path = (...names: string[]) => join(folder.path, ...names);
const said: string[] = [];
const run = async (line: string, env: Record<string, string> = {}) => {
  const done = await runCommand(line.split(' '), { env: { XDG_CONFIG_HOME: path('config'), ...env } });
  said.push(done.stdout, done.stderr);
  return done;
};
const login = (more = '') => run(`login ${server.url} --user ann --password-file ${path('password')}${more}`);

beforeEach(async () => {
  said.length = 0;
  [folder, server, other] = [await temporaryFolder(), await new LoginServer().start(), await new LoginServer().start()];
  await writeFile(path('password'), 'open sesame\n');
  await writeFile(path('token'), 'tg_token\n');
});
afterEach(async () => {
  // No token and no password is ever printed.
  for (const text of said) expect(text).not.toMatch(/access-|refresh-|tg_token|sesame/);
  await Promise.all([server.stop(), other.stop()]);
  await folder.remove();
});

test('a login is stored in a file that only its owner can read, and is selected', async () => {
  const done = await login();
  expect(done).toMatchObject({ exitCode: 0, stderr: '' });
  const name = new URL(server.url).host.replace(':', '-');
  expect(done.stdout).toBe(`ann is logged in at ${server.url}, for no project; context ${name}, which is chosen\n`);
  const file = path('config', 'tidegate', 'contexts', `${name}.json`);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await stat(path('config', 'tidegate', 'contexts'))).mode & 0o777).toBe(0o700);
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ url: `${server.url}/graphql`, user: 'ann' });
  server.asked.length = 0;
  expect(await run('drivers list')).toMatchObject({ exitCode: 0 });
  expect(server.bearers).toEqual(['access-0']);
});

test('a wrong password stores nothing', async () => {
  await writeFile(path('password'), 'wrong');
  expect(await login()).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('BAD_CREDENTIALS') });
  expect(await readdir(path('config')).catch(() => [])).toEqual([]);
});

test('contexts are listed, selected, left and deleted; a session is ended', async () => {
  await login(' --as prod');
  expect((await run(`login ${other.url} --token-file ${path('token')} --as lab --keep-chosen`)).stdout).not.toContain(
    'chosen',
  );
  const list = (await run('contexts list')).stdout;
  expect(list).toMatch(new RegExp(`^lab +${other.url}/graphql +token:ci +-$`, 'm'));
  expect(list).toMatch(new RegExp(`^prod +\\* +${server.url}/graphql +ann +20`, 'm'));
  expect((await run('contexts list -o name')).stdout).toBe('lab\nprod\n');
  expect((await run('contexts use lab')).stdout).toContain(other.url);
  server.asked.length = other.asked.length = 0;
  await run('drivers list');
  expect([server.bearers, other.bearers]).toEqual([[], ['tg_token']]);
  await run('drivers list --context prod');
  expect(server.bearers).toEqual(['access-0']);
  expect(await run('contexts use labb')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("'lab' is near"),
  });
  await run('contexts delete prod');
  expect(server.asked.at(-1)?.query).toContain('logout');
  await run('contexts delete lab');
  expect((await run('contexts list -o name')).stdout).toBe('');
});

test('a session whose server is gone is deleted only on demand', async () => {
  await login(' --as prod');
  await server.stop();
  expect(await run('contexts delete prod')).toMatchObject({
    exitCode: 3,
    stderr: expect.stringContaining('--forget-only'),
  });
  expect(await run('contexts delete prod --forget-only')).toMatchObject({ exitCode: 0 });
});

test('order of precedence: --url, TIDEGATE_URL, the context, the data folder; a token is sent to its own server only', async () => {
  await login(' --as prod');
  await mkdir(path('data'));
  await writeFile(path('data', 'url'), `${other.url}\n`);
  await writeFile(path('data', 'admin.token'), 'tg_token\n');
  const asked = async (line: string, env = {}) => {
    server.asked.length = other.asked.length = 0;
    const { exitCode, stderr } = await run(`drivers list ${line}`.trim(), env);
    return { exitCode, stderr, context: server.bearers, other: other.bearers };
  };
  const toOther = { exitCode: 0, context: [], other: ['tg_token'] };
  expect(await asked('')).toMatchObject({ exitCode: 0, context: ['access-0'], other: [] });
  expect(await asked(`--data ${path('data')}`)).toMatchObject(toOther);
  expect(await asked(`--data ${path('data')}`, { TIDEGATE_URL: `${server.url}/graphql` })).toMatchObject({
    ...{ exitCode: 0, context: ['tg_token'], other: [] },
  });
  expect(await asked(`--url ${other.url} --token-file ${path('token')}`)).toMatchObject(toOther);
  // The context's session is not sent to another server.
  const elsewhere = await asked(`--url ${other.url} --data ${path('nowhere')}`, { HOME: folder.path });
  expect(elsewhere).toMatchObject({ exitCode: 1, context: [], other: [], stderr: expect.stringContaining('no token') });
  await run('contexts leave');
  expect(await asked(`--data ${path('data')}`)).toMatchObject(toOther);
  expect(await asked(`--url ${other.url} --context prod`)).toMatchObject({ exitCode: 64 });
});

test('a session is renewed before it ends, once across processes, and stored again', async () => {
  server.lifeMs = 0;
  await login(' --as prod --json');
  server.lifeMs = 600_000;
  server.asked.length = 0;
  const done = await Promise.all(Array.from({ length: 5 }, () => run('drivers list')));
  expect(done.map(({ exitCode, stderr }) => [exitCode, stderr])).toEqual(Array.from({ length: 5 }, () => [0, '']));
  expect(server.asked.filter(({ query }) => query.includes('sessionRefresh'))).toHaveLength(1);
  server.asked.length = 0;
  await run('drivers list');
  expect(server.bearers).toEqual(['access-1']);
  expect(await readdir(path('config', 'tidegate', 'contexts'))).toEqual(['prod.json']);
});

const renewals = () => server.asked.filter(({ query }) => query.includes('sessionRefresh(')).length;

test('a renewal is finished despite Ctrl-C, because the login would end otherwise', async () => {
  server.lifeMs = 0;
  await login(' --as prod');
  server.lifeMs = 600_000;
  const interrupted = startCommand(['drivers', 'list'], { env: { XDG_CONFIG_HOME: path('config') } });
  server.renewing = async () => interrupted.interrupt();
  expect(await interrupted.exitCode).toBe(130);
  expect(await run('drivers list')).toMatchObject({ exitCode: 0, stderr: '' });
  expect(renewals()).toBe(1);
});

test('a completion that times out does not end the login that it renews', async () => {
  server.lifeMs = 0;
  await login(' --as prod');
  server.lifeMs = 600_000;
  // Longer than a completion waits for names.
  server.renewing = () => sleep(700);
  expect(await run('complete-names backends')).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  expect(await run('drivers list')).toMatchObject({ exitCode: 0, stderr: '' });
  expect(renewals()).toBe(1);
});

test('with a clock that is ahead, a session is renewed when the server refuses it, not with each request', async () => {
  server.lifeMs = -3_600_000;
  await login(' --as prod');
  server.asked.length = 0;
  for (let time = 0; time < 3; time += 1) expect(await run('drivers list')).toMatchObject({ exitCode: 0 });
  expect(server.bearers).toEqual(['access-0', 'access-0', 'access-0']);
  server.valid = 'ended';
  expect(await run('drivers list')).toMatchObject({ exitCode: 0 });
  expect([renewals(), server.bearers.at(-1)]).toEqual([1, 'access-1']);
});

/** Runs the program with this working folder. */
const runHere = async (words: readonly string[], env: readonly string[] = []) => {
  const done = await runProgram('env', ['-C', folder.path, `HOME=${folder.path}`, ...env, program, ...words]);
  said.push(done.stdout, done.stderr);
  return done;
};

test('the address in a working folder gets only credentials from that folder', async () => {
  await mkdir(path('.tidegate'));
  await writeFile(path('.tidegate', 'url'), `${other.url}\n`);
  await writeFile(path('.tidegate', 'admin.password'), 'open sesame\n');
  const drivers = (more: string, env: readonly string[] = []) =>
    runHere(['drivers', 'list', ...more.split(' ').filter((word) => word !== '')], env);
  const theirs = 'TIDEGATE_TOKEN=tg_token';
  const refused = (what: string) => ({ exitCode: 1, stderr: expect.stringContaining(`${what} is not sent to`) });
  expect(await drivers('', [theirs])).toMatchObject(refused('TIDEGATE_TOKEN'));
  expect(await drivers('--token-file token')).toMatchObject(refused('the token of token'));
  expect(await drivers('--user ann --password-file password')).toMatchObject(refused('the password of ann'));
  // Links in the folder point to files of the caller.
  await symlink(path('password'), path('.tidegate', 'linked.password'));
  await symlink(path('token'), path('.tidegate', 'admin.token'));
  expect(await drivers('--user ann --password-file .tidegate/linked.password')).toMatchObject(
    refused('the password of ann'),
  );
  expect(await drivers('')).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('is a link') });
  // Clusters that are named by a file in the folder.
  const clusters = [{ name: 'north', urls: [other.url] }];
  const cluster = {
    token: 't',
    expiresAt: '2020-01-01T00:00:00Z',
    user: 'ann',
    projects: [],
    clusters,
    at: clusters[0],
  };
  await writeFile(path('.tidegate', 'cluster-login.json'), JSON.stringify(cluster));
  const atCluster = ['login', '--cluster', 'north', '--user', 'ann', '--password-file', 'password'];
  expect(await runHere(atCluster)).toMatchObject(refused('the password of ann'));
  expect(other.asked).toEqual([]);

  expect(await drivers('--user ann --password-file .tidegate/admin.password')).toMatchObject({ exitCode: 0 });
  await rm(path('.tidegate', 'admin.token'));
  await writeFile(path('.tidegate', 'admin.token'), 'access-0\n');
  expect(await drivers('')).toMatchObject({ exitCode: 0 });
  other.asked.length = 0;
  // Naming the folder confirms its address and its token, and a file that is named with it is confirmed as well.
  expect(await drivers('--data .tidegate', [theirs])).toMatchObject({ exitCode: 0 });
  expect(await drivers('--data .tidegate --token-file token')).toMatchObject({ exitCode: 0 });
  expect(other.bearers).toEqual(['access-0', 'tg_token']);
});

test('no credential is sent unencrypted to another machine without --insecure', async () => {
  // This machine, by an address that is not loopback.
  const elsewhere = server.url.replace('127.0.0.1', '0.0.0.0');
  const refused = { exitCode: 1, stderr: expect.stringContaining('give --insecure') };
  const options = ['--user', 'ann', '--password-file', path('password')];
  const byToken = ['--token-file', path('token')];
  const lines = [
    ['drivers', 'list', '--url', elsewhere, ...byToken],
    ['drivers', 'list', '--url', elsewhere, ...options],
    ['login', elsewhere, '--as', 'prod', ...options],
    ['login', '--cluster', elsewhere, ...options],
  ];
  for (const line of lines) expect([line, await run(line.join(' '))]).toMatchObject([line, refused]);
  expect(server.asked).toEqual([]);
  for (const line of lines.slice(0, 3))
    expect([line, await run([...line, '--insecure'].join(' '))]).toMatchObject([line, { exitCode: 0 }]);
  // The context keeps the permission, but only for itself.
  expect(await run('drivers list')).toMatchObject({ exitCode: 0 });
  expect(await run(`drivers list --url ${elsewhere} ${byToken.join(' ')}`)).toMatchObject(refused);
  const file = path('config', 'tidegate', 'contexts', 'prod.json');
  const { insecure: _, ...context } = JSON.parse(await readFile(file, 'utf8'));
  await writeFile(file, JSON.stringify(context));
  expect(await run('drivers list')).toMatchObject(refused);
  expect(await run('contexts delete prod')).toMatchObject(refused);
});

test('the token of a data folder in the working folder is sent to its own server, and to this machine', async () => {
  await mkdir(path('.tidegate'));
  await writeFile(path('.tidegate', 'admin.token'), 'tg_token\n');
  await writeFile(path('.tidegate', 'url'), `${other.url}\n`);
  const drivers = (...more: string[]) => runHere(['drivers', 'list', ...more, '--insecure']);
  expect(await drivers('--url', server.url)).toMatchObject({ exitCode: 0 });
  expect(server.bearers).toEqual(['tg_token']);
  // The same machine by another name.
  const elsewhere = server.url.replace('127.0.0.1', '0.0.0.0');
  const refused = await drivers('--url', elsewhere);
  expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('belongs to another server') });
  expect(server.bearers).toEqual(['tg_token']);
  expect(await drivers('--url', elsewhere, '--data', '.tidegate')).toMatchObject({ exitCode: 0 });
  await writeFile(path('.tidegate', 'url'), `${elsewhere}/graphql\n`);
  expect(await drivers('--url', elsewhere)).toMatchObject({ exitCode: 0 });
});

test('a file that an editor leaves beside the contexts is not a context', async () => {
  await login(' --as prod');
  await writeFile(path('config', 'tidegate', 'contexts', '.#prod.json'), '');
  await writeFile(path('config', 'tidegate', 'contexts', 'prod copy.json'), '');
  expect(await run('contexts list -o name')).toMatchObject({ exitCode: 0, stdout: 'prod\n' });
});

test('a session that has ended explains how to log in again', async () => {
  await login(' --as prod');
  [server.valid, server.refresh] = ['others', 'others'];
  const { exitCode, stderr } = await run('drivers list');
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining(`tidegate login ${server.url}/graphql --as prod`)]);
});

test('a renewal does not wait for a process that has ended', async () => {
  server.lifeMs = 0;
  await login(' --as prod');
  // No process has this id.
  await writeFile(path('config', 'tidegate', 'contexts', 'prod.json.lock'), '4194305');
  expect(await run('drivers list')).toMatchObject({ exitCode: 0 });
});

test('a context that others can read is refused', async () => {
  await login(' --as prod');
  await chmod(path('config', 'tidegate', 'contexts', 'prod.json'), 0o644);
  expect(await run('drivers list')).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('chmod 600') });
});

test.each([
  ['login', 'give the URL of a server'],
  ['login http://127.0.0.1:1 --cluster north', 'give the URL of a server'],
  ['login http://127.0.0.1:1 --project x', 'does not take --project'],
  ['login --cluster north --as x', '--cluster does not take --as'],
  ['login http://127.0.0.1:1 --as ../x --token-file /dev/null', 'is not the name of a context'],
  ['login http://ann:secret@127.0.0.1:1', 'a name or password in a URL'],
  ['login ftp://127.0.0.1', 'is not an http or https URL'],
  ['contexts use ../../etc/passwd', 'is not the name of a context'],
])('wrong use: %s', async (line, message) => {
  expect(await run(line)).toMatchObject({ exitCode: 64, stderr: expect.stringContaining(message) });
});
