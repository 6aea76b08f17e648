// Debian's Sentinel over two real Redis servers, of which the primary is paused. Wake-ups and queued work continue on
// the other.
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type DataFolder, openDataFolder } from '../../../embedded/data-folder.ts';
import { type EmbeddedRedis, startRedis } from '../../../embedded/redis.ts';
import { ServerProcess } from '../../../embedded/server-process.ts';
import { silentLog } from '../../../embedded/setup-log.ts';
import { Database } from '../../../platform/database/database.ts';
import { createLogger } from '../../../platform/log/log.ts';
import { owe } from '../../../platform/owed/owed-work.ts';
import { createRedis } from '../../../platform/work/redis.ts';
import { createRedisWake } from '../../../platform/work/wake.ts';
import { freePort } from '../../support/machine/free-port.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../support/machine/temporary-folder.ts';
import { type TestDatabase, testDatabase } from '../../support/stores/database.ts';
import { carrier, createEffects, effectsQueue } from './effects-queue.ts';

const log = createLogger({ level: 'silent', pretty: false });
const name = 'watched';
const password = 'of-the-servers';
const sentinelPassword = 'of-the-sentinels';

let database: TestDatabase;
let db: Database;
let temporary: TemporaryFolder;
const stops: (() => unknown)[] = [];

beforeEach(async () => {
  database = await testDatabase();
  db = new Database({ connection: database.connection });
  await db.execute(createEffects);
  temporary = await temporaryFolder();
});

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
  await db.close();
  await database.drop();
  await temporary.remove();
});

test('the primary is the one that the Sentinels report, even after the old one was paused', async () => {
  const ports = [await freePort(), await freePort()] as const;
  const first = await startServer('first', ports[0]);
  await startServer('second', ports[1], ['--replicaof', '127.0.0.1', String(ports[0])]);
  const sentinels = [await startSentinel(ports[0]), await startSentinel(ports[0]), await startSentinel(ports[0])];
  const location = {
    sentinels: sentinels.map((port) => ({ host: '127.0.0.1', port })),
    ...{ name, password, sentinelPassword },
  };
  const asked = createRedis({ host: '127.0.0.1', port: sentinels[0] ?? 0, password: sentinelPassword }, { log });
  stops.push(() => asked.disconnect());
  // A Sentinel promotes a server only once it knows it and the other Sentinels.
  await waitFor('the Sentinels to know all', async () => {
    const told = (await asked.call('SENTINEL', 'MASTER', name).catch(() => [])) as string[];
    const value = (key: string) => told[told.indexOf(key) + 1];
    return value('num-slaves') === '1' && value('num-other-sentinels') === '2';
  });

  const wake = createRedisWake(location, { prefix: 'sentinels', log });
  stops.push(() => wake.close());
  const hearing = createRedisWake(location, { prefix: 'sentinels', log });
  stops.push(() => hearing.close());
  let woken = 0;
  hearing.on('topic', () => {
    woken += 1;
  });
  const work = carrier({ db, redis: location, wake, queue: effectsQueue({ db, worker: 'w', jobMs: 5 }) });
  work.start();
  stops.push(() => work.stop());
  const done = async () => (await db.query<{ owed: string }>('SELECT owed FROM test_effect')).map(({ owed }) => owed);
  await db.transaction((tx) => owe(tx, 'test', 'before'));
  await waitFor('work at the first', async () => (await done()).includes('before'));
  const isWoken = (before: number) => () => {
    wake.notify('topic');
    return woken > before;
  };
  await waitFor('a wake-up at the first', isWoken(woken));

  process.kill(first.pid, 'SIGSTOP');
  stops.push(() => process.kill(first.pid, 'SIGCONT'));
  const redis = createRedis(location, { log });
  stops.push(() => redis.disconnect());
  await waitFor('the second as the primary', async () => {
    const wrote = await redis.set('here', 'second').catch(() => undefined);
    return wrote === 'OK' && (await redis.config('GET', 'port').catch(() => []))?.toString() === `port,${ports[1]}`;
  });
  await db.transaction((tx) => owe(tx, 'test', 'after'));
  await waitFor('work at the second', async () => (await done()).includes('after'));
  await waitFor('a wake-up at the second', isWoken(woken));
  expect((await done()).sort()).toEqual(['after', 'before']);
});

async function startServer(own: string, port: number, more: readonly string[] = []): Promise<EmbeddedRedis> {
  const folder: DataFolder = await openDataFolder(join(temporary.path, own), { version: 1 });
  const at = ['--port', String(port), '--bind', '127.0.0.1', '--repl-diskless-sync-delay', '0'];
  const server = await startRedis({ folder, log: silentLog, extraArguments: [...at, ...more] });
  const redis = createRedis({ path: server.path }, { log, keepCommands: true });
  for (const setting of ['masterauth', 'requirepass']) await redis.config('SET', setting, password);
  redis.disconnect();
  stops.push(async () => {
    await server.stop();
    await folder.close();
  });
  return server;
}

async function startSentinel(primary: number): Promise<number> {
  const port = await freePort();
  const file = join(temporary.path, `sentinel-${port}.conf`);
  await writeFile(
    file,
    [
      ...[`port ${port}`, 'bind 127.0.0.1', `requirepass ${sentinelPassword}`],
      ...[`sentinel sentinel-pass ${sentinelPassword}`, `sentinel monitor ${name} 127.0.0.1 ${primary} 2`],
      ...[`sentinel auth-pass ${name} ${password}`, `sentinel down-after-milliseconds ${name} 1000`],
      ...[`sentinel failover-timeout ${name} 5000`, ''],
    ].join('\n'),
  );
  const sentinel = new ServerProcess({
    name: 'Sentinel',
    // Started with its server's name: see embedded/redis.ts.
    command: join(temporary.path, 'first', 'redis', 'redis-server'),
    args: [file, '--sentinel'],
    cwd: temporary.path,
    runAs: undefined,
    log: silentLog,
  });
  stops.push(async () => {
    await sentinel.stop();
    await rm(file);
  });
  return port;
}
