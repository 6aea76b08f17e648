// The databases that every start copies: tables of both services, and accounts: an administrator, and two projects with one user each for
// tests of isolation. Each copy then gets its own passwords and keys.

import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from '../../embedded/run-program.ts';
import { makeAccount, tokenFor } from './keystone-client.ts';
import { type ServiceOptions, startKeystone } from './keystone-server.ts';
import { PYTHON, pythonArgs, pythonEnvironment } from './python.ts';
import { type KeystoneAccount, keystoneSettings, REGION } from './settings.ts';

export interface Accounts {
  readonly admin: KeystoneAccount;
  readonly alpha: KeystoneAccount;
  readonly beta: KeystoneAccount;
}

const STEP_TIMEOUT_MS = 120_000;

export async function makeTemplate(options: ServiceOptions): Promise<void> {
  const { folder, signal } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await makeKeyRepositories(folder);
  await writeFile(join(folder, 'keystone.conf'), keystoneSettings(folder), { mode: 0o600 });
  const accounts = newAccounts();
  await writeAccounts(folder, accounts);
  await Promise.all([makeKeystone(options, accounts), makeTables(options)]);
  signal?.throwIfAborted();
}

export async function readAccounts(folder: string): Promise<Accounts> {
  return JSON.parse(await readFile(join(folder, 'accounts.json'), 'utf8')) as Accounts;
}

/** Creates tables that Neutron's database lacks. */
export function makeTables(options: ServiceOptions): Promise<void> {
  return python(options, join(import.meta.dirname, 'make_tables.py'), join(options.folder, 'neutron.sqlite'));
}

/** Keystone 22 administration guide, Fernet keys: files 0 (staged) and 1 (primary) with 32 bytes in URL-safe base64. */
export async function makeKeyRepositories(folder: string): Promise<void> {
  for (const repository of ['fernet', 'credential']) {
    const path = join(folder, repository);
    await mkdir(path, { recursive: true, mode: 0o700 });
    for (const name of ['0', '1']) {
      const key = randomBytes(32).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
      await writeFile(join(path, name), key, { mode: 0o600 });
    }
  }
}

export async function writeAccounts(folder: string, accounts: Accounts): Promise<void> {
  await writeFile(join(folder, 'accounts.json'), JSON.stringify(accounts), { mode: 0o600 });
}

export function newAccounts(): Accounts {
  const account = (name: string, project: string): KeystoneAccount => ({
    username: name,
    password: randomBytes(18).toString('base64url'),
    project,
  });
  return { admin: account('admin', 'admin'), alpha: account('alpha', 'alpha'), beta: account('beta', 'beta') };
}

async function makeKeystone(options: ServiceOptions, { admin, alpha, beta }: Accounts): Promise<void> {
  const { folder, prefix } = options;
  const manage = (...args: readonly string[]): Promise<void> =>
    python(options, join(prefix, 'usr/bin/keystone-manage'), '--config-file', join(folder, 'keystone.conf'), ...args);
  await manage('db_sync');
  const address = ['--bootstrap-internal-url', 'http://127.0.0.1/v3', '--bootstrap-region-id', REGION];
  // One word: a password may begin with a hyphen.
  await manage('bootstrap', `--bootstrap-password=${admin.password}`, ...address);
  const keystone = await startKeystone(options);
  try {
    const token = await tokenFor(keystone.url, admin);
    for (const account of [alpha, beta]) await makeAccount(keystone.url, token, account);
  } finally {
    await keystone.process.stop();
  }
}

async function python({ prefix, signal }: ServiceOptions, script: string, ...args: readonly string[]): Promise<void> {
  const result = await runProgram(PYTHON, pythonArgs(script, ...args), {
    timeoutMs: STEP_TIMEOUT_MS,
    env: pythonEnvironment(prefix),
    ...(signal === undefined ? {} : { signal }),
  });
  if (result.exitCode === 0) return;
  throw new Error(`${script} ended with ${result.exitCode}:\n${result.stderr.trim().slice(-2_000)}`);
}
