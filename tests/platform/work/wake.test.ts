// Wake-ups over a real Redis that is killed and restarted. They only shorten a wait.
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { type DataFolder, openDataFolder } from '../../../embedded/data-folder.ts';
import { type EmbeddedRedis, startRedis } from '../../../embedded/redis.ts';
import { silentLog } from '../../../embedded/setup-log.ts';
import { createLocalWake, createRedisWake, type Wake } from '../../../platform/work/wake.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../support/machine/temporary-folder.ts';
import { LocalContext } from '../../support/product/test-context.ts';
import { type TestDatabase, testDatabase } from '../../support/stores/database.ts';

const log = pino({ level: 'silent' });
let temporary: TemporaryFolder;
let folder: DataFolder;
let redis: EmbeddedRedis;
let place: TestDatabase;
const wakes: Wake[] = [];

beforeAll(async () => {
  place = await testDatabase();
  temporary = await temporaryFolder();
  folder = await openDataFolder(join(temporary.path, 'data'), { version: 1 });
  redis = await startRedis({ folder, log: silentLog });
});

afterEach(async () => {
  await Promise.all(wakes.splice(0).map((wake) => wake.close()));
});

afterAll(async () => {
  await redis.stop();
  await folder.close();
  await temporary.remove();
  await place.drop();
});

function open(prefix = 'a'): Wake {
  const wake = createRedisWake({ path: redis.path }, { prefix, log });
  wakes.push(wake);
  return wake;
}

function count(wake: Wake, topic: string): () => number {
  let calls = 0;
  wake.on(topic, () => {
    calls += 1;
  });
  return () => calls;
}

/** A listener is also called when its connection is established, so this waits for that call. */
async function connected(wake: Wake): Promise<void> {
  const calls = count(wake, 'connected?');
  await waitFor('the connection', () => calls() > 0);
}

async function killRedis(): Promise<void> {
  process.kill(redis.pid, 'SIGKILL');
  await redis.exited;
}

test('within the process: at once, by topic, and not after its end', () => {
  const wake = createLocalWake();
  let calls = 0;
  const listener = () => {
    calls += 1;
  };
  const [end] = [wake.on('x', listener), wake.on('x', listener)];
  wake.notify('x');
  wake.notify('y');
  expect(calls).toBe(2);
  end();
  end();
  wake.notify('x');
  expect(calls).toBe(3);
});

test('wake-ups reach other processes once, no process with another prefix, and the own process at once', async () => {
  const [one, two, other] = [open(), open(), open('b')];
  await Promise.all([one, two, other].map(connected));
  const counts = [one, two, other].map((wake) => count(wake, 'x'));
  one.notify('x');
  expect(counts[0]?.()).toBe(1);
  await waitFor('the other', () => counts[1]?.() === 1);
  // Everything sent before this marker arrives before it.
  const marker = count(two, 'marker');
  one.notify('marker');
  await waitFor('the marker', () => marker() === 1);
  expect(counts.map((each) => each())).toEqual([1, 1, 0]);
});

test('a burst needs few messages', async () => {
  const [one, two] = [open(), open()];
  await Promise.all([one, two].map(connected));
  const calls = count(two, 'x');
  for (let index = 0; index < 1000; index += 1) one.notify('x');
  await waitFor('the wake-up', () => calls() > 0);
  const marker = count(two, 'marker');
  one.notify('marker');
  await waitFor('the marker', () => marker() === 1);
  expect(calls()).toBeLessThan(10);
});

test('Redis killed: notify does not fail and wakes this process; after its return, listeners are woken for missed messages', async () => {
  const [one, two] = [open(), open()];
  await Promise.all([one, two].map(connected));
  const counts = [one, two].map((wake) => count(wake, 'x'));
  await killRedis();
  for (let index = 0; index < 50; index += 1) one.notify('x');
  expect(counts[0]?.()).toBe(50);
  redis = await startRedis({ folder, log: silentLog });
  await waitFor('the reconnection', () => (counts[1]?.() ?? 0) > 0);
  const before = counts[1]?.() ?? 0;
  await waitFor('a wake-up through the new Redis', () => {
    one.notify('x');
    return (counts[1]?.() ?? 0) > before;
  });
});

test('Redis killed: events written by one process reach the readers of another by polling', async () => {
  const { connection } = place;
  const redisPlace = { path: redis.path, prefix: 'a' };
  const all = [1, 2, 3].map(() => new LocalContext({ connection }, { redis: redisPlace })) as [
    LocalContext,
    LocalContext,
    LocalContext,
  ];
  const [writer, sequencing, reading] = all;
  await reading.feed.start();
  sequencing.sequencer.start();
  const items = reading.feed.subscribe({ filter: () => true });
  await items.next();
  await killRedis();
  for (const to of ['ONE', 'TWO', 'THREE']) {
    await writer.append({ to });
    const { value } = await items.next();
    expect(value?.event?.to).toBe(to);
  }
  redis = await startRedis({ folder, log: silentLog });
  await Promise.all(all.map((each) => each.stop()));
});

// Nothing awaited the driver's own subscription after a reconnect. When it got no answer in time, it ended the process.
test('when Redis returns, there is one subscription, made by the code that awaits the answer', async () => {
  const subscriptions: number[] = [];
  const path = folder.socketPath('line.sock');
  const sockets = new Set<Socket>();
  const line = createServer((client) => {
    const at = subscriptions.push(0) - 1;
    const server = connect(redis.path);
    for (const socket of [client, server]) sockets.add(socket.on('error', () => undefined));
    client.on('data', (data) => {
      subscriptions[at] = (subscriptions[at] ?? 0) + (String(data).match(/\bsubscribe\b/gi) ?? []).length;
    });
    client.pipe(server).pipe(client);
  });
  await new Promise<void>((resolve) => line.listen(path, resolve));
  const wake = createRedisWake({ path }, { prefix: 'line', log });
  wakes.push(wake);
  const woken = count(wake, 'status');
  // Each subscription wakes all listeners, because messages may have been missed.
  await waitFor('the first subscription', () => woken() === 1);
  for (const socket of sockets) socket.destroy();
  await waitFor('the next one', () => woken() === 2);
  expect(subscriptions.filter((times) => times > 0)).toEqual([1, 1]);
  for (const socket of sockets) socket.destroy();
  line.close();
});
