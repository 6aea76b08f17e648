// The first step of `tidegate setup`: a folder for each host with everything that belongs on it, at its path from the root, and the SQL of the two
// accounts of the database. Everything is made in a folder beside the target, which takes its name at the end: nothing is half done.
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { keyFilesOf } from '../../compose/missing-files.ts';
import { ConfigError } from '../../platform/errors/config-error.ts';
import { makeAuthority } from '../../platform/machines/authority.ts';
import { type Config, readConfig } from '../../platform/process/config.ts';
import { isMissing } from '../../platform/secrets/key-file.ts';
import { keyFilePath } from '../../platform/secrets/key-folder.ts';
import { makeKeys } from '../../platform/secrets/make-keys.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { CommandFailure, CommandFaults } from '../failures.ts';
import { processesOf, readSample, type SetupProcess } from './host-settings.ts';
import type { HostsFile, SetupHost } from './hosts-file.ts';

/** Paths in the target. */
export const placesIn = (folder: string) => ({
  hostsFile: join(folder, 'hosts.yaml'),
  sql: join(folder, 'database.sql'),
  keys: join(folder, 'keys'),
  migratePassword: join(folder, 'migrate.password'),
  endpointAuthority: join(folder, 'endpoint-ca.pem'),
  etc: (host: string) => join(folder, host, 'etc/tidegate'),
});

/** `from`: the path of the hosts file, beside which the files that it names are. Throws CommandFailure or CommandFaults. */
export async function writeHosts(file: HostsFile, from: string, to: string): Promise<void> {
  const target = resolve(to);
  await refuseFull(target);
  const given = await givenFiles(file, from);
  const folder = `${target}.new`;
  await rm(folder, { recursive: true, force: true });
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const faults = await fill(file, folder, given);
    if (faults.length > 0) throw new CommandFaults(faults);
    await copyFile(from, placesIn(folder).hostsFile);
    await rm(target, { recursive: true, force: true });
    await rename(folder, target);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function refuseFull(target: string): Promise<void> {
  const found = await readdir(target).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw new CommandFailure(`--to: ${target} can't be used: ${(error as Error).message}`);
  });
  if (found.length > 0)
    throw new CommandFailure(`--to: ${target} is not empty: name a new folder, or give --admin to finish this one`);
}

interface GivenFiles {
  readonly endpointAuthority: string | undefined;
  readonly databaseAuthority: string | undefined;
  readonly redisPassword: string | undefined;
}

async function givenFiles({ authority, database, redis }: HostsFile, from: string): Promise<GivenFiles> {
  const faults: string[] = [];
  const read = async (field: string, path: string | undefined) => {
    if (path === undefined) return undefined;
    return readFile(resolve(dirname(from), path), 'utf8').catch((error: NodeJS.ErrnoException) => {
      faults.push(`${from}: ${field}: ${path} can't be read (${error.code})`);
      return undefined;
    });
  };
  const given = {
    endpointAuthority: await read('authority', authority),
    databaseAuthority: await read('database.authority', database.authority),
    redisPassword: await read('redis.passwordFile', redis.passwordFile),
  };
  if (faults.length > 0) throw new CommandFaults(faults);
  return given;
}

/** Returns the faults of the settings, those that hosts add included. */
async function fill(file: HostsFile, folder: string, given: GivenFiles): Promise<readonly string[]> {
  const { keys, sql, migratePassword, endpointAuthority } = placesIn(folder);
  if (given.endpointAuthority !== undefined) await secret(endpointAuthority, given.endpointAuthority);
  await makeKeys(keys);
  await makeAuthority(keys);
  const passwords = { serving: newPassword(), migrate: newPassword() };
  await secret(migratePassword, passwords.migrate);
  await secret(sql, accountsSql(file.database.name, passwords));
  const faults: string[] = [];
  for (const host of file.hosts)
    faults.push(...(await writeHost(file, host, folder, { ...given, databasePassword: passwords.serving })));
  return faults;
}

const newPassword = (): string => randomBytes(24).toString('base64url');

const secret = (path: string, text: string): Promise<void> => writeFile(path, `${text.trimEnd()}\n`, { mode: 0o600 });

function accountsSql(
  name: string,
  { serving, migrate }: { readonly serving: string; readonly migrate: string },
): string {
  return [
    '-- Two accounts: the first changes tables, the second serves. Run it as the administrator of the database.',
    `CREATE DATABASE IF NOT EXISTS \`${name}\` CHARACTER SET utf8mb4;`,
    `CREATE USER 'tidegate-migrate'@'%' IDENTIFIED BY '${migrate}', 'tidegate'@'%' IDENTIFIED BY '${serving}';`,
    `GRANT ALL ON \`${name}\`.* TO 'tidegate-migrate'@'%';`,
    `GRANT SELECT, INSERT, UPDATE, DELETE ON \`${name}\`.* TO 'tidegate'@'%';`,
  ].join('\n');
}

async function writeHost(
  file: HostsFile,
  host: SetupHost,
  folder: string,
  given: GivenFiles & { readonly databasePassword: string },
): Promise<readonly string[]> {
  const etc = placesIn(folder).etc(host.name);
  const units = join(folder, host.name, 'etc/systemd/system');
  for (const each of [etc, join(etc, 'keys'), join(etc, 'machine')])
    await mkdir(each, { recursive: true, mode: 0o700 });
  await mkdir(units, { recursive: true });
  const processes = processesOf(file, host);
  if (processes.some(({ name }) => name === 'control')) {
    await secret(join(etc, 'database.password'), given.databasePassword);
    if (given.redisPassword !== undefined) await secret(join(etc, 'redis.password'), given.redisPassword);
    if (given.databaseAuthority !== undefined) await secret(join(etc, 'database-ca.pem'), given.databaseAuthority);
  }
  const faults: string[] = [];
  for (const each of processes) {
    await writeFile(join(units, each.unitFile), readSample(each.unitFile), { mode: 0o644 });
    faults.push(...(await writeProcess(each, etc, folder)).map((fault) => `host ${host.name}: ${fault}`));
  }
  if (processes.some(({ name }) => name === 'gateway'))
    await writeNginx(file, join(folder, host.name, 'etc/nginx/conf.d'));
  return faults;
}

/** The settings, and the key files that they need. */
async function writeProcess({ name, roles, document }: SetupProcess, etc: string, folder: string): Promise<string[]> {
  const path = join(etc, `${name}.yaml`);
  await writeFile(path, document.toString({ lineWidth: 0 }), { mode: 0o600 });
  try {
    const config = configIn(etc, name);
    const { keys } = placesIn(folder);
    const files = keyFilesOf(config, subgraphRows).map((each) => keyFilePath('', each));
    if (roles.includes('system')) files.push('authority.pem', 'authority.key');
    for (const each of files) await copyFile(join(keys, each), join(etc, 'keys', each));
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.map((fault) => fault.replaceAll(`${etc}/`, ''));
    throw error;
  }
}

/** A host's process, with the files of the host in the target instead of those in /etc. Throws ConfigError. */
export function configIn(etc: string, name: string): Config {
  return readConfig({ file: join(etc, `${name}.yaml`), env: environmentIn(etc) }, subgraphRows);
}

/** Variables take precedence over the settings file. */
export function environmentIn(etc: string): Record<string, string> {
  const files = {
    TIDEGATE_KEYS_FOLDER: 'keys',
    TIDEGATE_DATABASE_PASSWORD_FILE: 'database.password',
    TIDEGATE_DATABASE_CA_FILE: 'database-ca.pem',
    TIDEGATE_REDIS_PASSWORD_FILE: 'redis.password',
  };
  const found = Object.entries(files).filter(([, name]) => existsSync(join(etc, name)));
  return Object.fromEntries(found.map(([variable, name]) => [variable, join(etc, name)]));
}

/** The sample, at the name, port and path of the installation's URL. */
async function writeNginx({ url }: HostsFile, folder: string): Promise<void> {
  const { hostname, port, pathname } = new URL(url);
  const path = pathname.endsWith('/') ? pathname : `${pathname}/`;
  const [head = '', body = ''] = readSample('nginx.conf').split(/^(?=server \{)/m);
  const own = body
    .replace('server_name tidegate.example.net', `server_name ${hostname.replace(/^\[|\]$/g, '')}`)
    .replace('listen 443 ssl', port === '' ? 'listen 443 ssl' : `listen ${port} ssl`)
    .replace('location / {', `location ${path} {`)
    .replace(/(proxy_pass [^;]+);/, path === '/' ? '$1;' : '$1/;');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'tidegate.conf'), head + own, { mode: 0o644 });
  await chmod(folder, 0o755);
}
