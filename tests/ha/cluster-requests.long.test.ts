// Requests of people that the agents carry out later, over three real members of etcd. No agent runs: the test writes what they would write.
import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { haKeys, type Scheduled } from '../../ha/agent/keys.ts';
import { Cluster } from '../../ha/cluster.ts';
import { DueRequests } from '../../ha/due-requests.ts';
import type { EtcdClient } from '../../ha/etcd.ts';
import { movesOf } from '../../ha/moves.ts';
import { forFile } from '../support/jest/shared.ts';
import { etcdCluster } from './etcd-cluster.ts';

const cluster = forFile(() => etcdCluster());
const keys = haKeys('test');
const asker = { user: 'ada', host: 'a' };
const hosts = [
  { name: 'a', address: '127.0.0.1', kind: 'data' as const },
  { name: 'b', address: '127.0.0.2', kind: 'data' as const },
  { name: 'far', address: '127.0.0.3', kind: 'data' as const, asynchronous: true },
  { name: 'w', address: '127.0.0.4', kind: 'witness' as const },
];
let etcd: EtcdClient;
let requests: Cluster;
let said = 0;

beforeAll(() => {
  etcd = cluster.client();
  requests = new Cluster(etcd, 'test', hosts);
});

beforeEach(async () => {
  const { entries } = await etcd.get('/tidegate/', 500);
  for (const { key } of entries) await etcd.transact([], [{ delete: key }]);
  await lead('a', ['b']);
  await report('a');
  await report('b');
});

async function lead(primary: string, members: readonly string[]): Promise<void> {
  const sync = { primary, epoch: 3, reign: 'r', members: members.map((host) => ({ host, incarnation: 'i' })) };
  await etcd.put(keys.leader, JSON.stringify({ host: primary, reign: 'r' }));
  await etcd.put(keys.sync, JSON.stringify(sync));
}

async function report(host: string, more: object = {}): Promise<void> {
  said += 1;
  const told = { said: `${said}`, incarnation: 'i', reign: 'r', receiving: host !== 'a', received: 10, ...more };
  await etcd.put(keys.report(host), JSON.stringify(told));
}

const inMs = (ms: number) => new Date(Date.now() + ms);
const lookOf = (me: string) => new DueRequests({ etcd, keys, me, cluster: () => requests }).look();
const stored = async (key: string) => (await etcd.get(key)).entries[0]?.value;
const failed = async () =>
  movesOf(await requests.history()).map(({ primary, state, reason }) => [primary, state, reason]);
const codeOf = (asked: Promise<unknown>) =>
  asked.then(
    () => 'granted',
    ({ code }: { readonly code?: string }) => code,
  );

/** As if it had been scheduled a while ago. */
async function scheduledFor(at: Date): Promise<Scheduled> {
  const scheduled = await requests.schedule('b', inMs(60_000), asker);
  await etcd.put(keys.scheduled, JSON.stringify({ ...scheduled, at: at.toISOString() }));
  return scheduled;
}

test('a scheduled switchover is refused with words if it could never begin', async () => {
  expect(await codeOf(requests.schedule('b', inMs(-1), asker))).toBe('BAD_TIME');
  expect(await codeOf(requests.schedule('b', inMs(32 * 86_400_000), asker))).toBe('BAD_TIME');
  expect(await codeOf(requests.schedule('w', inMs(60_000), asker))).toBe('NOT_FOUND');
  expect(await codeOf(requests.schedule('a', inMs(60_000), asker))).toBe('ALREADY');
  expect(await codeOf(requests.schedule('far', inMs(60_000), asker))).toBe('NOT_IN_SYNC');
  expect(await codeOf(requests.unschedule('nobody', asker))).toBe('NOT_FOUND');
  expect((await requests.schedule(undefined, inMs(60_000), asker)).to).toBe('b');
  expect(await codeOf(requests.schedule('b', inMs(60_000), asker))).toBe('IN_PROGRESS');
  expect((await requests.acts()).map(({ action, details }) => [action, details.to])).toEqual([['haSwitchover', 'b']]);
});

test('a scheduled switchover begins at its time, at the primary alone, and keeps its id', async () => {
  const { id } = await requests.schedule('b', inMs(60_000), asker);
  expect(await lookOf('a')).toBeUndefined();
  await etcd.put(keys.scheduled, JSON.stringify({ ...JSON.parse((await stored(keys.scheduled)) ?? ''), at: inMs(-1) }));
  expect(await lookOf('b')).toBeUndefined();
  expect(await stored(keys.switchover)).toBeUndefined();
  expect(await lookOf('a')).toBe('the scheduled switchover to b begins');
  expect(await stored(keys.scheduled)).toBeUndefined();
  const wish = JSON.parse((await stored(keys.switchover)) ?? '{}');
  expect(wish).toMatchObject({ id, to: 'b', from: 'a', endsAt: expect.any(String) });
  // It has not begun within half a minute.
  expect(await lookOf('a')).toBeUndefined();
  await etcd.put(keys.switchover, JSON.stringify({ ...wish, endsAt: inMs(-1).toISOString() }));
  expect(await lookOf('a')).toBe('the scheduled switchover to b was taken back');
  expect(await stored(keys.switchover)).toBeUndefined();
  expect(await failed()).toEqual([['b', 'FAILED', 'it had not begun after 30 s, and was taken back']]);
});

test('a wish without an end is left to the process that wrote it', async () => {
  await requests.switchover('b', asker);
  expect(await lookOf('a')).toBeUndefined();
  expect(await stored(keys.switchover)).toBeDefined();
});

test('a scheduled switchover ends with words if the hosts are not fit at its time, or if it is late', async () => {
  await scheduledFor(inMs(-1));
  await report('b', { unfit: 'its clock is off' });
  await lookOf('a');
  await scheduledFor(inMs(-61_000));
  await report('b');
  await lookOf('a');
  await requests.schedule('b', inMs(60_000), asker);
  await requests.unschedule('cancelled by ada@a', asker);
  expect([await stored(keys.scheduled), await stored(keys.switchover)]).toEqual([undefined, undefined]);
  const failure = (why: string) => ['b', 'FAILED', why];
  expect((await failed()).toSorted()).toEqual([
    failure('cancelled by ada@a'),
    failure('it was scheduled, and could not begin: b is not promoted: its clock is off'),
    failure('it was scheduled, and could not begin: no primary began it within 60 s of its time'),
  ]);
});

test('a pause with an end is over at that time, for each host by itself, and the primary removes it', async () => {
  await requests.pause(asker, inMs(60_000));
  expect(await codeOf(requests.switchover('b', asker))).toBe('PAUSED');
  expect(await lookOf('a')).toBeUndefined();
  await requests.pause(asker, inMs(-1));
  expect(await codeOf(requests.switchover('b', asker))).toBe('granted');
  expect(await lookOf('a')).toBe('the pause of promotion has ended');
  expect(await stored(keys.paused)).toBeUndefined();
  await requests.pause(asker);
  expect(await lookOf('a')).toBeUndefined();
  expect(await stored(keys.paused)).toBe('{}');
});

test('a host tagged noFailover gets the lead only if the request says so, also at a later time', async () => {
  expect(await codeOf(requests.tag('w', { priority: 1 }, asker))).toBe('NOT_FOUND');
  expect(await requests.tag('b', { priority: 5 }, asker)).toEqual({ noFailover: false, priority: 5 });
  expect(await requests.tag('b', { noFailover: true }, asker)).toEqual({ noFailover: true, priority: 5 });
  const { hosts: seen } = await requests.status();
  expect(seen.map(({ name, noFailover, priority }) => [name, noFailover, priority])).toEqual([
    ...[
      ['a', false, 0],
      ['b', true, 5],
      ['far', false, 0],
      ['w', false, 0],
    ],
  ]);
  expect(await codeOf(requests.switchover('b', asker))).toBe('NO_FAILOVER');
  expect(await codeOf(requests.switchover(undefined, asker))).toBe('NO_FAILOVER');
  expect(await codeOf(requests.schedule('b', inMs(60_000), asker))).toBe('NO_FAILOVER');
  const scheduled = await requests.schedule('b', inMs(60_000), asker, true);
  await etcd.put(keys.scheduled, JSON.stringify({ ...scheduled, at: inMs(-1) }));
  expect(await lookOf('a')).toBe('the scheduled switchover to b begins');
});

test('a new copy is refused for the primary and for the last host in sync, unless one copy is accepted', async () => {
  const reporting = setInterval(() => {
    for (const host of ['a', 'b', 'far']) void report(host).catch(() => undefined);
  }, 100);
  try {
    expect(await codeOf(requests.reinit('w', asker))).toBe('NOT_FOUND');
    expect(await codeOf(requests.reinit('a', asker, true))).toBe('PRIMARY');
    // The host that follows is asynchronous, so it can't take the place of b.
    expect(await codeOf(requests.reinit('b', asker))).toBe('LAST_COPY');
    expect(await stored(keys.reinit('b'))).toBeUndefined();
    expect(await codeOf(requests.reinit('b', asker, true))).toBe('granted');
    expect(await codeOf(requests.reinit('far', asker))).toBe('granted');
    const seen = await requests.status();
    expect(seen.hosts.filter(({ reinit }) => reinit).map(({ name }) => name)).toEqual(['b', 'far']);
    await etcd.transact([], [{ delete: keys.leader }]);
    expect(await codeOf(requests.reinit('far', asker))).toBe('NO_PRIMARY');
  } finally {
    clearInterval(reporting);
  }
  await lead('a', ['b']);
  expect(await codeOf(requests.reinit('b', asker, true))).toBe('SILENT');
});
