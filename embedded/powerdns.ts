// A private PowerDNS on a loopback address, with its zones in SQLite, which takes updates that are signed with a key made at the
// first start. Its caches are off: an answer is never older than the last update.

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

export interface PowerdnsOptions {
  readonly folder: DataFolder;
  readonly log: SetupLog;
  /** Where it listens, over UDP and TCP; default: 127.0.0.1. */
  readonly address?: string;
  readonly port: number;
  /** Made if missing. One that is left out later stays. */
  readonly zones: readonly string[];
  readonly extraArguments?: readonly string[];
  /** A command that runs it elsewhere, as root: in a network namespace. It gives up root by itself, once it listens. */
  readonly wrapper?: readonly string[];
  readonly signal?: AbortSignal;
}

const keyName = 'tidegate';
const algorithm = 'hmac-sha256';
const readyTimeoutMs = 30_000;
const schemaFile = '/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql';

/** Starts it; new zones are made first. Throws SetupError. */
export async function startPowerdns(options: PowerdnsOptions): Promise<EmbeddedPowerdns> {
  const { folder, log, port, zones, address = '127.0.0.1', wrapper = [], signal } = options;
  signal?.throwIfAborted();
  const program = await findProgram('pdns_server', ['/usr/sbin/pdns_server', '/usr/local/sbin/pdns_server']);
  const home = await folder.subfolder('powerdns', { forService: true });
  await endLeftOver({ pidFile: join(home, 'pdns.pid'), workingFolder: home, programs: ['pdns_server'], log });
  const { secret, keyFile } = await powerdnsKey(folder);
  const database = join(home, 'zones.sqlite');
  await layOut(folder, database);
  fill(database, zones, secret);
  const server = new ServerProcess({
    name: 'PowerDNS',
    command: wrapper[0] ?? program,
    args: [
      ...(wrapper.length === 0 ? [] : [...wrapper.slice(1), program, ...rightsOf(folder.serviceUser)]),
      ...['--no-config', '--daemon=no', '--guardian=no', '--disable-syslog=yes', '--write-pid=yes', '--loglevel=4'],
      ...[`--socket-dir=${home}`, '--launch=gsqlite3', `--gsqlite3-database=${database}`],
      ...[`--local-address=${address}`, `--local-port=${port}`, '--reuseport=no'],
      ...['--dnsupdate=yes', '--allow-dnsupdate-from=0.0.0.0/0,::/0', '--disable-axfr=yes'],
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
    runAs: wrapper.length === 0 ? folder.serviceUser : undefined,
    log,
  });
  await server.waitUntilReady(() => ask(address, port, zones[0] ?? '.'), readyTimeoutMs, signal);
  return Object.assign(server, { address, port, keyFile });
}

function rightsOf(user: ServiceUser | undefined): readonly string[] {
  return user === undefined ? [] : [`--setuid=${user.uid}`, `--setgid=${user.gid}`];
}

/** The key of the server in this folder, also before its first start. `secret`: in base64. */
export async function powerdnsKey(folder: DataFolder): Promise<{ readonly secret: string; readonly keyFile: string }> {
  const secret = Buffer.from(await folder.secret('powerdns-tsig'), 'base64url').toString('base64');
  return { secret, keyFile: await writeKey(folder, secret) };
}

async function writeKey(folder: DataFolder, secret: string): Promise<string> {
  const path = join(await folder.subfolder('secrets'), 'dns-tsig.key');
  const text = `key "${keyName}" {\n\talgorithm ${algorithm};\n\tsecret "${secret}";\n};\n`;
  await writeFile(`${path}.new`, text, { mode: 0o600, flush: true });
  await rename(`${path}.new`, path);
  return path;
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
