// A private PowerDNS on a loopback address, with its zones in SQLite, which takes updates that are signed with a key made at the
// first start. Its caches are off: an answer is never older than the last update.
// needs: pdns-server, pdns-backend-sqlite3, util-linux

import { chmod, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { DataFolder } from './data-folder.ts';
import { findProgram, pathExists } from './find-program.ts';
import { runProgram } from './run-program.ts';
import { type EmbeddedServer, endLeftOver, ServerProcess } from './server-process.ts';
import type { ServiceUser } from './service-account.ts';
import type { SetupLog } from './setup-log.ts';

export interface EmbeddedPowerdns extends EmbeddedServer {
  readonly address: string;
  readonly port: number;
  /** The TSIG key in BIND's form, which only its owner may read. */
  readonly keyFile: string;
}

export interface PowerdnsKey {
  /** In base64. */
  readonly secret: string;
  readonly keyFile: string;
}

export interface PowerdnsOptions {
  readonly folder: DataFolder;
  readonly log: SetupLog;
  /** Where it listens, over UDP and TCP; default: 127.0.0.1. */
  readonly address?: string;
  readonly port: number;
  /** Where it listens, too, also before the machine has them. */
  readonly otherAddresses?: readonly string[];
  /** From which updates are taken; default: any. */
  readonly updatesFrom?: readonly string[];
  /** Of updates; default: one that is made at the first start. */
  readonly key?: PowerdnsKey;
  /** Made if missing. One that is left out later stays. */
  readonly zones: readonly string[];
  readonly extraArguments?: readonly string[];
  /** A command that runs it elsewhere, as root: in a network namespace. It gives up root by itself, once it listens. */
  readonly wrapper?: readonly string[];
  readonly signal?: AbortSignal;
}

/** Those before are for root alone (ip(7)). */
const firstFreePort = 1_024;
const databaseName = 'zones.sqlite';
const keyName = 'tidegate';
const algorithm = 'hmac-sha256';
const readyTimeoutMs = 30_000;
const schemaFile = '/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql';

/** Starts it; new zones are made first. Throws SetupError. */
export async function startPowerdns(options: PowerdnsOptions): Promise<EmbeddedPowerdns> {
  const { folder, log, port, zones, address = '127.0.0.1', otherAddresses = [], wrapper = [], signal } = options;
  const { updatesFrom = ['0.0.0.0/0', '::/0'] } = options;
  signal?.throwIfAborted();
  const program = await findPowerdns();
  const home = await powerdnsFolder(folder);
  await endLeftOver({ pidFile: join(home, 'pdns.pid'), workingFolder: home, programs: ['pdns_server'], log });
  const { secret, keyFile } = options.key ?? (await powerdnsKey(folder));
  const database = join(home, databaseName);
  await layOut(folder, database);
  fill(database, zones, secret);
  const isWrapped = wrapper.length > 0;
  const [command = '', ...words] = [...wrapper, program];
  const server = new ServerProcess({
    name: 'PowerDNS',
    command,
    args: [
      ...words,
      ...(isWrapped ? rightsOf(folder.serviceUser) : []),
      ...['--no-config', '--daemon=no', '--guardian=no', '--disable-syslog=yes', '--write-pid=yes', '--loglevel=4'],
      ...[`--socket-dir=${home}`, '--launch=gsqlite3', `--gsqlite3-database=${database}`],
      ...[`--local-address=${[address, ...otherAddresses].join(',')}`, `--local-port=${port}`, '--reuseport=no'],
      // Of an address that comes later, PowerDNS would never know.
      ...(otherAddresses.length === 0 ? [] : ['--non-local-bind=yes']),
      ...['--dnsupdate=yes', `--allow-dnsupdate-from=${updatesFrom.join(',')}`, '--disable-axfr=yes'],
      // Else it asks the internet about itself.
      '--security-poll-suffix=',
      ...['--cache-ttl=0', '--query-cache-ttl=0', '--negquery-cache-ttl=0', '--zone-cache-refresh-interval=0'],
      ...[
        '--webserver=no',
        '--api=no',
        '--version-string=anonymous',
        '--receiver-threads=1',
        '--distributor-threads=1',
      ],
      ...(options.extraArguments ?? []),
    ],
    cwd: home,
    runAs: isWrapped ? undefined : folder.serviceUser,
    mayUseLowPorts: port < firstFreePort,
    log,
  });
  await server.waitUntilReady(() => ask(address, port, zones[0] ?? '.'), readyTimeoutMs, signal);
  return Object.assign(server, { address, port, keyFile });
}

/** Throws SetupError. */
export function findPowerdns(): Promise<string> {
  return findProgram('pdns_server', ['/usr/sbin/pdns_server', '/usr/local/sbin/pdns_server']);
}

/** It has nothing from then on. While it runs it goes on with what it had. */
export async function emptyPowerdns(folder: DataFolder): Promise<void> {
  const home = await powerdnsFolder(folder);
  for (const end of ['', '-journal', '-wal', '-shm']) await rm(join(home, `${databaseName}${end}`), { force: true });
}

function powerdnsFolder(folder: DataFolder): Promise<string> {
  return folder.subfolder('powerdns', { forService: true });
}

function rightsOf(user: ServiceUser | undefined): readonly string[] {
  return user === undefined ? [] : [`--setuid=${user.uid}`, `--setgid=${user.gid}`];
}

/** The key of the server in this folder, also before its first start. */
export async function powerdnsKey(folder: DataFolder): Promise<PowerdnsKey> {
  const secret = Buffer.from(await folder.secret('powerdns-tsig'), 'base64url').toString('base64');
  return { secret, keyFile: await writeKey(folder, secret) };
}

async function writeKey(folder: DataFolder, secret: string): Promise<string> {
  const path = join(await folder.subfolder('secrets'), 'dns-tsig.key');
  await writeFile(`${path}.new`, powerdnsKeyText(secret), { mode: 0o600, flush: true });
  await rename(`${path}.new`, path);
  return path;
}

/** In BIND's form. */
export function powerdnsKeyText(secret: string): string {
  return `key "${keyName}" {\n\talgorithm ${algorithm};\n\tsecret "${secret}";\n};\n`;
}

/** The tables, as the package describes them; beside the final place, so that an interrupted attempt is simply repeated. */
async function layOut(folder: DataFolder, path: string): Promise<void> {
  if (await pathExists(path)) return;
  const fresh = `${path}.new`;
  await rm(fresh, { force: true });
  using database = new DatabaseSync(fresh);
  database.exec(await readFile(await findProgram('the schema of pdns-backend-sqlite3', [schemaFile]), 'utf8'));
  await chmod(fresh, 0o600);
  const user = folder.serviceUser;
  if (user !== undefined) await runProgram('chown', [`${user.uid}:${user.gid}`, fresh]);
  await rename(fresh, path);
}

function fill(path: string, zones: readonly string[], secret: string): void {
  using database = new DatabaseSync(path, { timeout: 5_000 });
  database.exec('BEGIN');
  database.prepare('DELETE FROM tsigkeys').run();
  const insertKey = database.prepare('INSERT INTO tsigkeys (name, algorithm, secret) VALUES (?, ?, ?)');
  insertKey.run(keyName, algorithm, secret);
  for (const zone of zones) {
    if (database.prepare('SELECT 1 FROM domains WHERE name = ?').get(zone) !== undefined) continue;
    const { lastInsertRowid: id } = database.prepare("INSERT INTO domains (name, type) VALUES (?, 'NATIVE')").run(zone);
    const insertRecord = database.prepare(
      'INSERT INTO records (domain_id, name, type, content, ttl, auth) VALUES (?, ?, ?, ?, 60, 1)',
    );
    // The last number is how long the absence of a name is remembered (RFC 2308), in seconds.
    insertRecord.run(id, zone, 'SOA', `ns.${zone} hostmaster.${zone} 1 3600 600 604800 1`);
    insertRecord.run(id, zone, 'NS', `ns.${zone}`);
    const insertMetadata = database.prepare('INSERT INTO domainmetadata (domain_id, kind, content) VALUES (?, ?, ?)');
    insertMetadata.run(id, 'TSIG-ALLOW-DNSUPDATE', keyName);
  }
  database.exec('COMMIT');
}

/** Ready means: it answers for the zone. A question over TCP (RFC 1035 section 4.2.2), type SOA. */
function ask(address: string, port: number, zone: string): Promise<void> {
  const labels = zone.split('.').filter((label) => label !== '');
  const name = Buffer.concat([
    ...labels.map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`)),
    Buffer.alloc(1),
  ]);
  const header = Buffer.from([0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  const question = Buffer.concat([header, name, Buffer.from([0, 6, 0, 1])]);
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: address, port, timeout: 2_000 });
    const fail = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    socket.once('error', fail);
    socket.once('timeout', () => fail(new Error('no answer within 2 s')));
    socket.once('close', () => reject(new Error('closed before it answered')));
    socket.once('connect', () => socket.write(Buffer.concat([Buffer.from([0, question.length]), question])));
    socket.once('data', (answer: Buffer) => {
      const code = (answer[5] ?? 0xf) & 0xf;
      if (code !== 0) return fail(new Error(`it answers code ${code} for ${zone}`));
      resolve();
      socket.destroy();
    });
  });
}
