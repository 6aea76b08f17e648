import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { Registry } from 'prom-client';
import { type DataFolder, openDataFolder } from '../../../embedded/data-folder.ts';
import { type EmbeddedRedis, startRedis } from '../../../embedded/redis.ts';
import { silentLog } from '../../../embedded/setup-log.ts';
import { Database } from '../../../platform/database/database.ts';
import type { OwedQueue } from '../../../platform/owed/owed-queue.ts';
import { type DueRow, deadAfterAttempts, OwedWork, owe, reconcilingRetry } from '../../../platform/owed/owed-work.ts';
import { createLocalWake } from '../../../platform/work/wake.ts';
import { TcpLine } from '../../../simulators/tcp-line.ts';
import { jobIdOf } from '../../../workers/queues/queue-worker.ts';
import { createRetentionQueue } from '../../../workers/queues/retention-queue.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../support/machine/temporary-folder.ts';
import { type TestDatabase, testDatabase } from '../../support/stores/database.ts';
import { type CarrierOptions, carrier, createEffects, effectsQueue } from './effects-queue.ts';

let database: TestDatabase;
let db: Database;
let folder: TemporaryFolder;
let data: DataFolder;
let server: EmbeddedRedis;
let redis: Redis;
const wake = createLocalWake();
const stops: (() => Promise<void>)[] = [];

// A separate Redis: these tests flush it.
beforeAll(async () => {
  database = await testDatabase();
  db = new Database({ connection: database.connection });
  await db.execute(createEffects);
  folder = await temporaryFolder();
  data = await openDataFolder(join(folder.path, 'data'), { version: 1 });
  server = await startRedis({ folder: data, log: silentLog });
  redis = new Redis({ path: server.path });
});

afterAll(async () => {
  redis.disconnect();
  await server.stop();
  await data.close();
  await folder.remove();
  await db.close();
  await database.drop();
});

beforeEach(async () => {
  await redis.flushall();
  await db.execute('DELETE FROM owed_work');
  await db.execute('DELETE FROM test_effect');
});

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** Killed with the test, or by it. */
function process(options: { readonly jobMs: number }): ChildProcess {
  const shared = { connection: database.connection, redisPath: server.path, deadlineMs: 60_000 };
  const argument = JSON.stringify({ ...shared, ...options });
  const child = fork(join(import.meta.dirname, 'queue-process.ts'), [argument], { execArgv: [] });
  stops.push(async () => void child.kill('SIGKILL'));
  return child;
}

function start(queue: OwedQueue, options: Partial<CarrierOptions> = {}): void {
  const subject = carrier({ db, queue, redis: { path: server.path }, wake, ...options });
  subject.start();
  stops.push(() => subject.stop());
}

async function oweAll(keys: readonly string[]): Promise<void> {
  await db.transaction(async (tx) => {
    for (const key of keys) await owe(tx, 'test', key, {}, wake);
  });
}

function keysUpTo(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `key-${index}`);
}

async function effects(): Promise<Map<string, number>> {
  const rows = await db.query<{ owed: string; times: number }>(
    'SELECT owed, COUNT(*) AS times FROM test_effect GROUP BY owed',
  );
  return new Map(rows.map((row) => [row.owed, row.times]));
}

async function stillOwed(): Promise<number> {
  const [row] = await db.query<{ n: number }>('SELECT COUNT(*) AS n FROM owed_work WHERE due_at IS NOT NULL');
  return row?.n ?? 0;
}

describe('OwedCarrier', () => {
  test('owed work is done once, even with two workers', async () => {
    start(effectsQueue({ db, worker: 'one', jobMs: 5 }));
    start(effectsQueue({ db, worker: 'two', jobMs: 5 }));
    await oweAll(keysUpTo(40));
    await waitFor('all done', async () => (await stillOwed()) === 0);
    expect(await effects()).toEqual(new Map(keysUpTo(40).map((key) => [key, 1])));
  });

  test('work owed again while it runs is done once more', async () => {
    let again = false;
    const onStart = async () => {
      if (again) return;
      again = true;
      await oweAll(['key']);
    };
    start(effectsQueue({ db, worker: 'one', jobMs: 5, onStart }));
    await oweAll(['key']);
    await waitFor('done twice', async () => (await stillOwed()) === 0);
    expect(await effects()).toEqual(new Map([['key', 2]]));
  });

  // With dispatches an hour apart, only the named wake-up can wake.
  const rarely = { dispatchMs: 3_600_000 };

  test('a wake-up during the job is not lost, nor is work that becomes due soon after', async () => {
    const soon = { again: true, later: true };
    const onStart = async () => {
      if (soon.again) await oweAll(['key']);
      else if (soon.later) await db.transaction((tx) => owe(tx, 'test', 'key', { dueInMs: 50 }));
      soon.later &&= soon.again;
      soon.again = false;
    };
    start(effectsQueue({ db, worker: 'one', jobMs: 5, onStart }), rarely);
    await oweAll(['key']);
    await waitFor('done three times', async () => (await effects()).get('key') === 3);
  });

  test('work that is owed for later begins when it is due', async () => {
    start(effectsQueue({ db, worker: 'one', jobMs: 1 }), rarely);
    await db.transaction((tx) => owe(tx, 'test', 'key', { dueInMs: 100 }, wake));
    await waitFor('done', async () => (await effects()).get('key') === 1);
  });

  test("work that has waited since before the database's clock was set back is done", async () => {
    await db.transaction((tx) => owe(tx, 'test', 'key', { dueInMs: 60_000 }));
    await db.execute(
      'UPDATE owed_work SET due_at = due_at + INTERVAL 30 MINUTE, owed_at = owed_at + INTERVAL 30 MINUTE',
    );
    start(effectsQueue({ db, worker: 'one', jobMs: 5 }));
    await waitFor('done', async () => (await effects()).get('key') === 1);
  });

  test('reconciling work is retried after every failure, and never given up', async () => {
    let failures = 0;
    const queue = effectsQueue({
      ...{ db, worker: 'one', jobMs: 1 },
      onStart: () => {
        failures += 1;
        if (failures <= deadAfterAttempts + 5) throw new Error('not yet');
      },
    });
    start({ ...queue, retry: { ...reconcilingRetry, firstMs: 1, mostMs: 10 } }, rarely);
    await oweAll(['key']);
    await waitFor('done', async () => (await effects()).get('key') === 1);
    expect(await db.query("SELECT 1 FROM status_change WHERE kind = 'owedWork.state'")).toEqual([]);
  });

  test('flushing Redis during the work loses nothing', async () => {
    start(effectsQueue({ db, worker: 'one', jobMs: 20 }));
    await oweAll(keysUpTo(150));
    for (const share of [20, 70, 110]) {
      await waitFor(`${share} done`, async () => (await effects()).size >= share);
      await redis.flushall();
    }
    await waitFor('all done', async () => (await stillOwed()) === 0);
    expect(await effects()).toEqual(new Map(keysUpTo(150).map((key) => [key, 1])));
  });

  test('connections that break while they are opening cost only time', async () => {
    let cuts = 0;
    const line = await TcpLine.lay(
      { path: server.path },
      {
        // The driver itself queries in an earlier one.
        cutAfter: (chunk, from, chunks) => {
          if (from !== 'client' || chunks < 3 || cuts === 6 || !chunk.toString().endsWith('info\r\n')) return undefined;
          cuts += 1;
          return 0;
        },
      },
    );
    start(effectsQueue({ db, worker: 'one', jobMs: 5 }), { redis: { host: line.host, port: line.port } });
    stops.push(() => line.stop());
    await oweAll(['key']);
    await waitFor('done', async () => (await stillOwed()) === 0);
    expect(cuts).toBeGreaterThan(0);
  });

  test('a job delivered twice has one effect', async () => {
    const queue = new Queue('test', { connection: { path: server.path }, prefix: 'test:jobs' });
    stops.push(() => queue.close());
    await db.transaction((tx) => owe(tx, 'test', 'key'));
    await queue.addBulk(
      Array.from({ length: 8 }, (_, index) => ({
        name: 'test',
        data: { key: 'key' },
        opts: { jobId: `copy-${index}`, removeOnComplete: true, removeOnFail: true },
      })),
    );
    start(effectsQueue({ db, worker: 'one', jobMs: 50 }));
    start(effectsQueue({ db, worker: 'two', jobMs: 50 }));
    await waitFor('done', async () => (await stillOwed()) === 0);
    await waitFor('all copies taken', async () => (await queue.getJobCountByTypes('wait', 'active')) === 0);
    expect(await effects()).toEqual(new Map([['key', 1]]));
  });

  test('when a worker is killed with -9 during a job, another does it, once', async () => {
    const child = process({ jobMs: 60_000 });
    await oweAll(['key']);
    await once(child, 'message');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await effects()).toEqual(new Map());
    start(effectsQueue({ db, worker: 'other', jobMs: 5, deadlineMs: 60_000 }));
    // Long before the job itself timed out.
    await db.transaction((tx) => owe(tx, 'test', 'later', { dueInMs: 40_000 }));
    await waitFor('done by another', async () => (await effects()).size > 0);
    expect(await effects()).toEqual(new Map([['key', 1]]));
  });

  test('when a worker is stopped during a job, another does it, and later actions of the first have no effect', async () => {
    const child = process({ jobMs: 1_000 });
    await oweAll(['key']);
    await once(child, 'message');
    child.kill('SIGSTOP');
    start(effectsQueue({ db, worker: 'other', jobMs: 5, deadlineMs: 60_000 }));
    await waitFor('done by another', async () => (await stillOwed()) === 0);
    const ended = once(child, 'message');
    child.kill('SIGCONT');
    expect(await ended).toEqual([{ ended: 'OwedWorkLostError' }, undefined]);
    expect(await db.query('SELECT owed, worker FROM test_effect')).toEqual([{ owed: 'key', worker: 'other' }]);
    child.kill('SIGKILL');
    await once(child, 'exit');
  });

  test('the claim of a long-running job is renewed', async () => {
    const [running, ending] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const onStart = () => {
      running.resolve();
      return ending.promise;
    };
    start(effectsQueue({ db, worker: 'one', jobMs: 1, deadlineMs: 60_000, onStart }));
    await oweAll(['key']);
    await running.promise;
    const claimed = async () => (await db.query('SELECT lease_token AS token, lease_until AS until FROM owed_work'))[0];
    const first = (await claimed()) as { readonly token: string; readonly until: Date };
    const { token } = first;
    await waitFor('two renewals', async () => {
      const now = (await claimed()) as typeof first;
      expect(now.token).toBe(token);
      return now.until.getTime() > first.until.getTime() + 500;
    });
    ending.resolve();
    await waitFor('done', async () => (await stillOwed()) === 0);
  });

  test('a job that a dead process took from Redis, but did not claim, is handed over again', async () => {
    await db.transaction((tx) => owe(tx, 'test', 'key'));
    const queue = new Queue('test', { connection: { path: server.path }, prefix: 'test:jobs' });
    const [row] = await new OwedWork({ db }).dueRows({ limit: 1 });
    await queue.add('test', { key: 'key' }, { jobId: jobIdOf(row as DueRow) });
    const dead = new Worker('test', null, { connection: { path: server.path }, prefix: 'test:jobs' });
    expect((await dead.getNextJob('dead'))?.data).toEqual({ key: 'key' });
    stops.push(
      () => queue.close(),
      () => dead.close(true),
    );
    start(effectsQueue({ db, worker: 'one', jobMs: 1 }));
    await waitFor('done', async () => (await stillOwed()) === 0);
  });

  describe('while a worker waits for jobs, for up to 300 s', () => {
    const marker = 'test:jobs:test:marker';
    /** Connections that wait for the marker in Redis, which wakes one of them for each job. */
    const waiting = async () => String(await redis.client('LIST')).match(/flags=\w*b.* cmd=bzpopmin/g)?.length ?? 0;

    test('work is done even if each of its wake-ups in Redis is lost', async () => {
      const thieves = Array.from({ length: 12 }, () => redis.duplicate());
      stops.push(async () => thieves.forEach((thief) => void thief.disconnect()));
      // Redis serves those first that wait longest.
      for (const thief of thieves) thief.bzpopmin(marker, 0).catch(() => undefined);
      await waitFor('the thieves to wait', async () => (await waiting()) === thieves.length);
      start(effectsQueue({ db, worker: 'one', jobMs: 5 }));
      await waitFor('the worker to wait', async () => (await waiting()) === thieves.length + 1);
      await oweAll(['key']);
      await waitFor('done', async () => (await effects()).get('key') === 1, 10_000);
      const left = await waiting();
      // The worker, and at least one before it.
      expect(left).toBeGreaterThan(1);
      expect(left).toBeLessThanOrEqual(thieves.length);
    });

    test.each([
      ['at once', {}],
      ['with a priority', { priority: 7 }],
      ['with a delay', { delay: 400 }],
      ['with both', { delay: 400, priority: 7 }],
    ])('a job that is added %s ends the wait', async (_, options) => {
      start(effectsQueue({ db, worker: 'one', jobMs: 1 }), { dispatchMs: 3_600_000 });
      await waitFor('the worker to wait', async () => (await waiting()) === 1);
      // Nobody is told of it but by the job.
      await db.transaction((tx) => owe(tx, 'test', 'key'));
      const queue = new Queue('test', { connection: { path: server.path }, prefix: 'test:jobs' });
      stops.push(() => queue.close());
      await queue.add('test', { key: 'key' }, { jobId: 'added', removeOnComplete: true, ...options });
      await waitFor('done', async () => (await effects()).get('key') === 1, 5_000);
      await waitFor('the worker to wait again', async () => (await waiting()) === 1);
    });
  });

  describe('a Redis that answers but accepts no writes', () => {
    const refusing: Readonly<Record<string, { readonly begin: string[]; readonly end: string[] }>> = {
      'out of memory': { begin: ['CONFIG', 'SET', 'maxmemory', '1'], end: ['CONFIG', 'SET', 'maxmemory', '0'] },
      'too few replicas': {
        begin: ['CONFIG', 'SET', 'min-replicas-to-write', '1'],
        end: ['CONFIG', 'SET', 'min-replicas-to-write', '0'],
      },
      'a replica': { begin: ['REPLICAOF', '127.0.0.1', '1'], end: ['REPLICAOF', 'NO', 'ONE'] },
    };

    test.each(Object.entries(refusing))('%s: owed work is done once, by two workers', async (_, { begin, end }) => {
      start(effectsQueue({ db, worker: 'one', jobMs: 5 }));
      start(effectsQueue({ db, worker: 'two', jobMs: 5 }));
      await oweAll(['before']);
      await waitFor('the first', async () => (await stillOwed()) === 0);
      await redis.call(begin[0] ?? '', ...begin.slice(1));
      try {
        expect(await redis.ping()).toBe('PONG');
        await expect(redis.set('a', '1')).rejects.toThrow(/^(OOM|READONLY|NOREPLICAS)/);
        await oweAll(keysUpTo(20));
        await waitFor('all done', async () => (await stillOwed()) === 0);
      } finally {
        await redis.call(end[0] ?? '', ...end.slice(1));
      }
      await oweAll(['after']);
      await waitFor('the last', async () => (await stillOwed()) === 0);
      expect(await effects()).toEqual(new Map(['before', ...keysUpTo(20), 'after'].map((key) => [key, 1])));
    });
  });

  test('a busy process runs no waiting jobs beyond its concurrency', async () => {
    let [now, most] = [0, 0];
    const queue = effectsQueue({ db, worker: 'one', jobMs: 0 });
    start({
      ...queue,
      concurrency: 2,
      run: async (job, options) => {
        now += 1;
        most = Math.max(most, now);
        await sleep(700);
        await queue.run(job, options);
        now -= 1;
      },
    });
    await oweAll(keysUpTo(12));
    await waitFor('all done', async () => (await stillOwed()) === 0);
    expect(most).toBe(2);
  });

  test('a job that keeps failing becomes a dead letter: visible, and retried once an hour', async () => {
    const registry = new Registry();
    const queue = {
      kind: 'test',
      concurrency: 1,
      deadlineMs: 1_000,
      retry: { firstMs: 1, mostMs: 1_000, forever: false },
      run: async () => {
        throw new Error('the thing is broken');
      },
    };
    start(queue, { registry });
    await oweAll(['key']);
    const buried = await waitFor('dead letter', async () => {
      const [row] = await db.query<{ attempts: number; error: string; dueInMinutes: number }>(
        'SELECT attempts, last_error AS error, ROUND(TIMESTAMPDIFF(SECOND, NOW(3), due_at) / 60) AS dueInMinutes FROM owed_work',
      );
      return row !== undefined && row.attempts >= deadAfterAttempts && row.dueInMinutes > 0 ? row : undefined;
    });
    expect(buried).toEqual({ attempts: deadAfterAttempts, error: 'the thing is broken', dueInMinutes: 60 });
    expect((await new OwedWork({ db }).figures()).dead).toBe(1);
    const events = await db.query<{ kind: string; to: string; reason: string }>(
      `SELECT kind, to_status AS 'to', reason FROM status_change`,
    );
    expect(events).toEqual([
      { kind: 'owedWork.state', to: 'DEAD', reason: 'test key failed 10 times: the thing is broken' },
    ]);
    expect(await registry.getSingleMetricAsString('tidegate_jobs_total')).toContain(
      `queue="test",outcome="failed"} ${deadAfterAttempts}`,
    );
  });

  test('retention runs repeatedly by itself', async () => {
    let runs = 0;
    const runOnce = async () => ({ more: ++runs % 2 === 1 });
    // After a run that left rows the next is due at once, and not after an hour.
    const queue = createRetentionQueue({ db, firstInMs: 50, everyMs: 3_600_000, runOnce });
    await queue.begin?.();
    start(queue);
    await waitFor('a second run', () => runs >= 2);
    const [row] = await db.query<{ due: number }>(
      `SELECT due_at IS NOT NULL AS due FROM owed_work WHERE kind = 'retention'`,
    );
    expect(row?.due).toBe(1);
  });
});
