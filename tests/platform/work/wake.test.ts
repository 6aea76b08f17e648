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

/** Listeners are also called when the connection is established, which is before this. */
async function connected(wake: Wake): Promise<void> {
  await waitFor('the connection', () => wake.isLive);
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
  // Its listeners are called once, because they must poll more often now.
  await waitFor('the loss', () => !one.isLive);
  expect(counts[0]?.()).toBe(1);
  for (let index = 0; index < 50; index += 1) one.notify('x');
  expect(counts[0]?.()).toBe(51);
  redis = await startRedis({ folder, log: silentLog });
  await waitFor('the loss and the reconnection', () => (counts[1]?.() ?? 0) > 1);
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

test('a subscription whose messages no longer arrive is not live, although nothing closes its connection', async () => {
  const path = folder.socketPath('mute.sock');
  const sockets = new Set<Socket>();
  let isMute = false;
  const mute = createServer((client) => {
    const server = connect(redis.path);
    for (const socket of [client, server]) sockets.add(socket.on('error', () => undefined));
    client.pipe(server);
    server.on('data', (data) => {
      if (!isMute) client.write(data);
    });
  });
  await new Promise<void>((resolve) => mute.listen(path, resolve));
  const wake = createRedisWake({ path }, { prefix: 'mute', log, beatMs: 20 });
  wakes.push(wake);
  await connected(wake);
  const woken = count(wake, 'x');
  isMute = true;
  await waitFor('the loss', () => !wake.isLive);
  // Listeners poll more often from now on.
  expect(woken()).toBe(1);
  isMute = false;
  await waitFor('the return', () => wake.isLive);
  // Messages in between are lost.
  expect(woken()).toBeGreaterThan(1);
  for (const socket of sockets) socket.destroy();
  mute.close();
});

test('what Redis did not take is sent when it does', async () => {
  const [one, two] = [open(), open()];
  await Promise.all([one, two].map(connected));
  await killRedis();
  await waitFor('the loss', () => !one.isLive && !two.isLive);
  const woken = count(two, 'owed');
  one.notify('owed');
  redis = await startRedis({ folder, log: silentLog });
  // Once for the subscription, and once for the message.
  await waitFor('the message', () => woken() > 1);
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
  // Each subscription wakes all listeners, because messages may have been missed, and each loss does, because they poll more often.
  await waitFor('the first subscription', () => woken() === 1 && wake.isLive);
  for (const socket of sockets) socket.destroy();
  await waitFor('the loss and the next one', () => woken() >= 3 && wake.isLive);
  expect(subscriptions.filter((times) => times > 0)).toEqual([1, 1]);
  for (const socket of sockets) socket.destroy();
  line.close();
});
