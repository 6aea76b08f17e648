// Processes whose stores answer but accept no writes: the state of readiness, and how a start ends. This test has its own MariaDB and Redis.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createConnection } from 'mariadb';
import { describeFailure } from '../../cli/start-failure.ts';
import { ownersOf } from '../../compose/owners.ts';
import { type RunningProcess, startProcess } from '../../compose/process.ts';
import { type DataFolder, openDataFolder } from '../../embedded/data-folder.ts';
import { type EmbeddedMariadb, startMariadb } from '../../embedded/mariadb.ts';
import { type EmbeddedRedis, startRedis } from '../../embedded/redis.ts';
import { silentLog } from '../../embedded/setup-log.ts';
import { migrate } from '../../platform/database/migrate.ts';
import { createLogger } from '../../platform/log/log.ts';
import { readConfig } from '../../platform/process/config.ts';
import { makeKeys } from '../../platform/secrets/make-keys.ts';
import { createRedis } from '../../platform/work/redis.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { runCommand } from '../cli/commands/run-command.ts';
import { freePort } from '../support/machine/free-port.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';

const roles = ['system', 'worker'];
const log = createLogger({ level: 'silent', pretty: false });
let folder: TemporaryFolder;
let data: DataFolder;
let mariadb: EmbeddedMariadb;
let redis: EmbeddedRedis;

beforeAll(async () => {
  folder = await temporaryFolder();
  data = await openDataFolder(join(folder.path, 'data'), { version: 1 });
  mariadb = await startMariadb({ folder: data, log: silentLog });
  redis = await startRedis({ folder: data, log: silentLog });
  await migrate(mariadb.application, ownersOf(roles, subgraphRows));
  await makeKeys(join(folder.path, 'keys'));
});

afterAll(async () => {
  await redis.stop();
  await mariadb.stop();
  await data.close();
  await folder.remove();
});

function settings(redisPath = redis.path) {
  const { socketPath, user, password, database } = mariadb.application;
  return {
    ...{ 'database.socketPath': socketPath, 'database.user': user, 'database.password': password },
    ...{ 'database.name': database, 'redis.path': redisPath, 'keys.folder': join(folder.path, 'keys') },
  };
}

function start(redisPath = redis.path): Promise<RunningProcess> {
  const flags = { ...settings(redisPath), roles: roles.join(',') };
  return startProcess(readConfig({ flags }, subgraphRows), log);
}

async function asRoot(statement: string): Promise<void> {
  const root = await createConnection(mariadb.rootConnection);
  try {
    await root.query(statement);
  } finally {
    await root.end();
  }
}

test('a database that becomes read-only makes a running process unready, and ends a start with one message', async () => {
  const running = await start();
  const missing = async () => (await running.health.readiness()).missing;
  try {
    await waitFor('ready', async () => (await missing()).length === 0);
    await asRoot('SET GLOBAL read_only = ON');
    const fault = await waitFor('not ready', async () =>
      (await missing()).find(({ name, detail }) => name === 'database' && detail?.includes('takes no writes')),
    );
    expect(fault.detail).toMatch(/^no lease could be renewed for \d+ s: the database takes no writes$/);
    const failure = describeFailure(await start().catch((error: unknown) => error)) as Error;
    expect([failure.name, failure.message]).toEqual([
      'CommandFailure',
      'the database is read-only: end its read_only mode, or name the primary in database.host',
    ]);
    await asRoot('SET GLOBAL read_only = OFF');
    await waitFor('ready again', async () => (await missing()).length === 0);
  } finally {
    await asRoot('SET GLOBAL read_only = OFF');
    await running.stop();
  }
});

test('a database that takes only small statements ends a start with one message, and doctor names it', async () => {
  await asRoot('SET GLOBAL max_allowed_packet = 1048576');
  try {
    const failure = describeFailure(await start().catch((error: unknown) => error)) as Error;
    expect([failure.name, failure.message]).toEqual([
      'CommandFailure',
      expect.stringMatching(/max_allowed_packet = 1048576.*run SET GLOBAL max_allowed_packet = 16777216/s),
    ]);
    const file = join(folder.path, 'settings.json');
    await writeFile(file, JSON.stringify({ ...settings(), roles }));
    const { exitCode, stdout } = await runCommand(['doctor', '--config', file]);
    expect([exitCode, stdout]).toEqual([
      1,
      expect.stringMatching(
        /^MariaDB has max_allowed_packet = 1048576, .*\n {2}→ SET GLOBAL max_allowed_packet = 16777216/,
      ),
    ]);
  } finally {
    await asRoot('SET GLOBAL max_allowed_packet = 67108864');
  }
});

test('a Redis that accepts no writes or may evict keys is reported, and the process stays ready', async () => {
  const running = await start();
  const asked = createRedis({ path: redis.path }, { log, keepCommands: true });
  const fault = async () => (await running.health.readiness()).impaired.find(({ name }) => name === 'redis')?.detail;
  try {
    await waitFor('Redis works', async () => (await fault()) === undefined);
    await asked.config('SET', 'min-replicas-to-write', '1');
    expect(await waitFor('refused', fault)).toMatch(/^NOREPLICAS/);
    expect((await running.health.readiness()).missing).toEqual([]);
    await asked.config('SET', 'min-replicas-to-write', '0');
    await asked.config('SET', 'maxmemory-policy', 'allkeys-lru');
    await waitFor('evicting', async () =>
      (await fault())?.startsWith('Redis may evict keys: its maxmemory-policy is allkeys-lru'),
    );
  } finally {
    await asked.config('SET', 'min-replicas-to-write', '0');
    await asked.config('SET', 'maxmemory-policy', 'noeviction');
    asked.disconnect();
    await running.stop();
  }
});

test('owed work that no worker takes for a minute makes the worker unready', async () => {
  const running = await start();
  const missing = async () => (await running.health.readiness()).missing.map(({ name }) => name);
  try {
    await waitFor('ready', async () => (await missing()).length === 0);
    const root = await createConnection({ ...mariadb.rootConnection, database: mariadb.application.database });
    try {
      await root.query(
        "UPDATE owed_work SET due_at = NOW(3) - INTERVAL 2 MINUTE, lease_token = NULL, lease_until = NULL WHERE kind = 'retention'",
      );
      // A process that claims it has to wait for this lock.
      await root.query('BEGIN');
      await root.query("SELECT 1 FROM owed_work WHERE kind = 'retention' FOR UPDATE");
      await waitFor('not ready', async () => (await missing()).includes('owed work'));
      await root.query('ROLLBACK');
    } finally {
      await root.end();
    }
    await waitFor('ready again', async () => (await missing()).length === 0);
  } finally {
    await running.stop();
  }
});

test('a Redis in cluster mode ends a start with one message', async () => {
  const own = await openDataFolder(join(folder.path, 'cluster'), { version: 1 });
  const port = String(await freePort());
  const bus = String(await freePort());
  const cluster = await startRedis({
    ...{ folder: own, log: silentLog },
    extraArguments: ['--cluster-enabled', 'yes', '--port', port, '--bind', '127.0.0.1', '--cluster-port', bus],
  });
  try {
    const failure = describeFailure(await start(cluster.path).catch((error: unknown) => error)) as Error;
    expect([failure.name, failure.message]).toEqual(['CommandFailure', expect.stringContaining('in cluster mode')]);
  } finally {
    await cluster.stop();
    await own.close();
  }
});
