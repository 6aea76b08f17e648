// What `tidegate doctor` finds on a host: each with the command or the setting that mends it. Each part is looked at even if another one fails.
import { stat } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { basename } from 'node:path';
import { request } from 'undici';
import { databaseLocations, redisLocation } from '../../compose/connections.ts';
import { machineRolesOf, missingFiles } from '../../compose/missing-files.ts';
import { ownersOf } from '../../compose/owners.ts';
import { Database } from '../../platform/database/database.ts';
import { packetFault, probeServer } from '../../platform/database/first-connections.ts';
import { pendingMigrations } from '../../platform/database/migrate.ts';
import { primaryLocation } from '../../platform/database/primary-finder.ts';
import type { ConfigFault } from '../../platform/errors/config-error.ts';
import { databaseErrorNumber } from '../../platform/errors/database-errors.ts';
import { quoted } from '../../platform/errors/errors.ts';
import { createLogger } from '../../platform/log/log.ts';
import { readMachineFile } from '../../platform/machines/machine-file.ts';
import type { Config } from '../../platform/process/config.ts';
import { checkRedis, createRedis, isRedisCluster } from '../../platform/work/redis.ts';
import { within } from '../../platform/work/within.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { givenSettings } from '../local-options.ts';
import type { Surroundings } from '../verb.ts';

interface Finding {
  readonly wrong: string;
  readonly mend: string;
}

const answerMs = 10_000;
/** Signed requests between processes are refused from 10 s on, and certificates of machines are new. */
const mostClockMs = 5_000;
const log = createLogger({ level: 'silent', pretty: false });

/** `file`: the path of the settings, for the commands. Throws ConfigError if the settings themselves are wrong. */
export async function findingsOf(file: string, env: Surroundings['env']): Promise<readonly Finding[]> {
  const { config, faults } = givenSettings(file, env, {});
  const files = [...faults, ...missingFiles(config, subgraphRows)].map(ofFault);
  const hasDatabase = ownersOf(config.roles, subgraphRows).length > 0;
  const parts = await Promise.all([
    machineFindings(config),
    ...(hasDatabase ? [databaseFindings(config, file), redisFindings(config)] : []),
    processFindings(config, file),
  ]);
  return [...files, ...parts.flat()];
}

function ofFault({ settings, wrong, given, advice }: ConfigFault): Finding {
  const value = given === undefined ? '' : ` (given: ${quoted(given)})`;
  return { wrong: `${settings.join(', ')}: ${wrong}${value}`, mend: advice };
}

interface ServerRow {
  readonly version: string;
  readonly flush: number | bigint;
  readonly connections: number | bigint;
  readonly packet: number | bigint;
  readonly time: number | bigint;
}

async function databaseFindings(config: Config, file: string): Promise<readonly Finding[]> {
  const { 'database.user': user, 'database.connections': connections } = config;
  let db: Database | undefined;
  try {
    const connection = await primaryLocation(databaseLocations(config));
    await probeServer(connection);
    db = new Database({ connection, connectionLimit: 1 });
    const opened = db;
    const read = `SELECT VERSION() AS version, @@innodb_flush_log_at_trx_commit AS flush, @@max_connections AS connections,
      @@global.max_allowed_packet AS packet, CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS INTEGER) AS time`;
    const [server] = await within(answerMs, 'no answer', () => opened.query<ServerRow>(read, []));
    const offMs = Number(server?.time) - Date.now();
    const packet = server && packetFault(server.packet);
    const missing = await pendingMigrations(db, ownersOf(config.roles, subgraphRows));
    const rights = missing.length > 0 ? [] : await rightsFindings(db, user, file);
    return [
      ...found(
        missing.length > 0,
        `the database lacks ${missing.length} migrations`,
        `bin/tidegate migrate --config ${file}`,
      ),
      ...rights,
      ...(packet === undefined ? [] : [packet]),
      ...found(
        Number(server?.flush) !== 1,
        'MariaDB can lose acknowledged writes',
        'SET GLOBAL innodb_flush_log_at_trx_commit = 1',
      ),
      ...found(
        Number(server?.connections) < connections + 5,
        `MariaDB has max_connections = ${server?.connections}, and this process alone uses ${connections}`,
        `SET GLOBAL max_connections = ${Math.max(500, 4 * connections)}`,
      ),
      ...found(
        Math.abs(offMs) > mostClockMs,
        `the database's clock is ${Math.abs(Math.round(offMs / 1000))} s ${offMs > 0 ? 'ahead of' : 'behind'} this host's`,
        'timedatectl set-ntp true, on both hosts',
      ),
    ];
  } catch (error) {
    const why = databaseErrorNumber(error) === 1045 ? 'it refuses the user or the password' : messageOf(error);
    return [
      {
        wrong: `the database can't be used: ${why}`,
        mend: `correct database.host, database.user or database.passwordFile in ${file}, or start MariaDB`,
      },
    ];
  } finally {
    await db?.close();
  }
}

/** An account sees only the tables on which it has a right. */
async function rightsFindings(db: Database, user: string, file: string): Promise<readonly Finding[]> {
  const [seen] = await db.query<{ tables: bigint }>(
    `SELECT COUNT(*) AS tables FROM information_schema.tables
    WHERE table_schema = DATABASE() AND table_name <> '_prisma_migrations'`,
    [],
  );
  return found(
    Number(seen?.tables) === 0,
    `the account ${user} has no rights on the tables`,
    `bin/tidegate grants ${user} --config ${file}, and run what it prints`,
  );
}

async function redisFindings(config: Config): Promise<readonly Finding[]> {
  const redis = createRedis(redisLocation(config), { log });
  try {
    if (await isRedisCluster(redis))
      return [{ wrong: 'Redis is in cluster mode', mend: 'name a Redis without cluster mode in redis.host' }];
    if (redis.status !== 'ready') throw new Error("it can't be reached, or refuses the password");
    await within(answerMs, 'no answer', () => checkRedis(redis, 'tidegate:doctor'));
    return [];
  } catch (error) {
    const why = messageOf(error);
    const mend = why.includes('noeviction')
      ? 'redis-cli CONFIG SET maxmemory-policy noeviction'
      : 'correct redis.host or redis.passwordFile, or start Redis';
    return [{ wrong: `Redis can't be used: ${why}`, mend }];
  } finally {
    redis.disconnect();
  }
}

async function machineFindings(config: Config): Promise<readonly Finding[]> {
  const folder = config['internal.machineFolder'];
  if (folder === undefined) return [];
  const findings: Finding[] = [];
  for (const role of machineRolesOf(config, subgraphRows)) {
    // A missing or unreadable file is in the faults of the files.
    const machine = await readMachineFile(folder, role).catch(() => undefined);
    if (machine !== undefined && Date.parse(machine.expiresAt) < Date.now())
      findings.push({
        wrong: `the certificate of the machine ${machine.name} ended at ${machine.expiresAt}`,
        mend: `bin/tidegate machines revoke ${machine.name}, then create it again and join`,
      });
  }
  return findings;
}

/** The unit, and what the process says of itself. */
async function processFindings(config: Config, file: string): Promise<readonly Finding[]> {
  const unit = `tidegate@${basename(file).replace(/\.\w+$/, '')}`;
  const start = `systemctl enable --now ${unit}`;
  const own = config.roles.includes('gateway') ? config['listen.port'] : undefined;
  const port = config['watch.port'] ?? own;
  if (port === undefined || port === 0) return [];
  const host = watchedHost(config);
  const protocol = config['watch.port'] === undefined && config['listen.tls.certFile'] !== undefined ? 'https' : 'http';
  // A gateway's own certificate is not for this address.
  if (protocol === 'https') return [];
  // Not fetch, which refuses some ports, such as 4190.
  const url = `http://${host}:${port}/health/ready`;
  const answer = await request(url, { signal: AbortSignal.timeout(answerMs) }).catch(() => undefined);
  if (answer === undefined)
    return [
      {
        wrong: `no process answers at port ${port} of ${host}`,
        mend: `${(await isInstalled()) ? start : `bin/tidegate serve --config ${file}`}; its log: journalctl -u ${unit}`,
      },
    ];
  const { notReady } = (await answer.body.json()) as {
    readonly notReady: readonly { readonly name: string; readonly detail?: string }[];
  };
  return notReady.map(({ name, detail }) => ({
    wrong: `the part ${name} does not work: ${detail ?? 'no detail'}`,
    mend: 'see docs/runbook.md',
  }));
}

/** Where the process listens, as a part of a URL. */
function watchedHost(config: Config): string {
  const host = config[config['watch.port'] === undefined ? 'listen.host' : 'watch.host'];
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return isIPv6(host) ? `[${host}]` : host;
}

function isInstalled(): Promise<boolean> {
  return stat('/run/systemd/system').then(
    () => true,
    () => false,
  );
}

function found(isWrong: boolean, wrong: string, mend: string): readonly Finding[] {
  return isWrong ? [{ wrong, mend }] : [];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
