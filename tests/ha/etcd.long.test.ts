// The etcd client against three real members, one of which is killed, hangs, or never existed.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import { EtcdError } from '../../ha/etcd.ts';
import { forFile } from '../support/jest/shared.ts';
import { waitFor } from '../support/machine/temporary-folder.ts';
import { etcdCluster } from './etcd-cluster.ts';

const cluster = forFile(() => etcdCluster());

test('a transaction applies all changes or none', async () => {
  const etcd = cluster.client();
  const made = await etcd.transact(
    [{ key: '/t/one', revision: 0 }],
    [
      { put: '/t/one', value: 'ä' },
      { put: '/t/two', value: '2' },
    ],
  );
  expect(made.done).toBe(true);
  const { entries } = await etcd.get('/t/');
  expect(entries.map(({ key, value, revision, lease }) => [key, value, revision, lease])).toEqual([
    ['/t/one', 'ä', made.revision, '0'],
    ['/t/two', '2', made.revision, '0'],
  ]);
  const refused = await etcd.transact(
    [
      { key: '/t/one', revision: made.revision },
      { key: '/t/two', revision: 0 },
    ],
    [{ delete: '/t/one' }],
  );
  expect(refused.done).toBe(false);
  expect((await etcd.get('/t/')).entries).toHaveLength(2);
  expect((await etcd.transact([{ key: '/t/two', revision: made.revision }], [{ delete: '/t/two' }])).done).toBe(true);
  await expect(etcd.get('/t', 0 + 1)).resolves.toMatchObject({ entries: [{ key: '/t/one' }] });
});

test('more keys than asked for are refused', async () => {
  const etcd = cluster.client();
  for (const each of ['1', '2', '3']) await etcd.put(`/many/${each}`, '');
  await expect(etcd.get('/many/', 2)).rejects.toThrow('more than 2 keys');
});

test('the keys of a lease end with it, and an ended lease is not renewed', async () => {
  const etcd = cluster.client();
  const { id, ttlSeconds } = await etcd.grant(60);
  expect(ttlSeconds).toBe(60);
  await etcd.transact([], [{ put: '/leased', value: 'x', lease: id }]);
  expect((await etcd.get('/leased')).entries[0]?.lease).toBe(id);
  expect(await etcd.keepAlive(id)).toBe(true);
  await etcd.revoke(id);
  expect((await etcd.get('/leased')).entries).toEqual([]);
  expect(await etcd.keepAlive(id)).toBe(false);
  await etcd.revoke(id);
  const { id: short } = await etcd.grant(1);
  await etcd.put('/short', 'x', short);
  await waitFor('the lease to end', async () => (await etcd.get('/short')).entries.length === 0);
  await expect(etcd.transact([], [{ put: '/short', value: 'x', lease: short }])).rejects.toMatchObject({
    fate: 'none',
  });
});

test('leadership moves to the requested member', async () => {
  const etcd = cluster.client();
  const from = await cluster.leader();
  const other = (await etcd.status()).find(({ url }) => url !== cluster.urls[['a', 'b', 'w'].indexOf(from)]);
  await etcd.moveLeader(other?.memberId ?? '');
  expect(cluster.urls[['a', 'b', 'w'].indexOf(await cluster.leader())]).toBe(other?.url);
});

test.each(['SIGKILL', 'SIGSTOP'] as const)(
  'every call is answered while one member is away after %s, and a watch misses nothing',
  async (signal) => {
    const leader = await cluster.leader();
    // The client first uses the member that will be away, and watches there.
    const urls = [...cluster.urls].sort((one) => (one === cluster.urls[['a', 'b', 'w'].indexOf(leader)] ? -1 : 1));
    const etcd = cluster.client({ urls });
    const prefix = `/watched-${signal}/`;
    const { revision } = await etcd.get(prefix);
    const ending = new AbortController();
    const told: number[] = [];
    const keys: string[] = [];
    const watching = (async () => {
      for await (const each of etcd.watch({ prefix, fromRevision: revision + 1, signal: ending.signal })) {
        told.push(each.revision);
        keys.push(...each.keys);
      }
    })();
    const written: number[] = [];
    const write = async (): Promise<void> => {
      // As the agent does: after a failure with an unknown outcome, the value is read back.
      const key = `${prefix}${written.length}`;
      await waitFor(`a write while ${leader} is away`, async () => {
        await etcd.transact([{ key, revision: 0 }], [{ put: key, value: 'x' }]).catch(ignoreEtcd);
        const entry = await etcd.get(key).catch(ignoreEtcd);
        const found = entry?.entries[0]?.revision;
        if (found !== undefined) written.push(found);
        return found;
      });
    };
    await write();
    await waitFor('the first change', () => told.length === 1);
    process.kill(cluster.member(leader).pid, signal);
    for (let turn = 0; turn < 5; turn += 1) await write();
    await waitFor('all changes', () => told.length === written.length);
    expect(told).toEqual(written);
    expect(keys).toEqual(written.map((_revision, at) => `${prefix}${at}`));
    if (signal === 'SIGSTOP') process.kill(cluster.member(leader).pid, 'SIGCONT');
    else await cluster.restart(leader);
    await write();
    await waitFor('the last change', () => told.length === written.length);
    ending.abort();
    await watching;
    await waitFor('all members', async () => (await etcd.status()).every(({ leaderId }) => leaderId !== '0'));
  },
);

const late: Server[] = [];
afterEach(() => void late.splice(0).map((server) => server.close()));

/** Stands before each member, and answers late. */
async function lateMembers(delayMs: number) {
  let connections = 0;
  const servers = await Promise.all(
    cluster.urls.map(async (url) => {
      const { hostname, port } = new URL(url);
      const server = createServer((client) => {
        connections += 1;
        const member = connect({ host: hostname, port: Number(port) });
        client.pipe(member);
        member.on('data', (part) => void setTimeout(() => client.write(part), delayMs));
        for (const [one, other] of [
          [client, member],
          [member, client],
        ] as const)
          one.on('error', () => other.destroy()).on('close', () => other.destroy());
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  late.push(...servers);
  return {
    urls: servers.map((server) => `https://127.0.0.1:${(server.address() as AddressInfo).port}`),
    connections: () => connections,
  };
}

test('an answer that comes late is an answer, while the other members are asked too', async () => {
  // A handshake is two answers, and the call is a third: a member's part of the time is over by then.
  const { urls } = await lateMembers(200);
  const etcd = cluster.client({ urls, timeoutMs: 3_000, memberTimeoutMs: 100 });
  await etcd.put('/late', 'x');
  expect((await etcd.get('/late')).entries).toHaveLength(1);
  // A change that must not be made twice waits for the member that may have it.
  expect((await etcd.transact([{ key: '/late/once', revision: 0 }], [{ put: '/late/once', value: 'x' }])).done).toBe(
    true,
  );
});

test('renewals share a connection', async () => {
  const members = await lateMembers(0);
  const etcd = cluster.client({ urls: members.urls });
  const { id } = await etcd.grant(60);
  for (let turn = 0; turn < 10; turn += 1) {
    expect(await etcd.keepAlive(id)).toBe(true);
    // The next renewal comes when the answer of this one has ended.
    await sleep(20);
  }
  expect(members.connections()).toBeLessThan(4);
});

test('without a majority a call fails within its deadline, with an unknown outcome', async () => {
  const etcd = cluster.client({ timeoutMs: 600 });
  const away = ['b', 'w'];
  for (const name of away) process.kill(cluster.member(name).pid, 'SIGSTOP');
  try {
    // Messages that the members sent before they hung can confirm one more read.
    await waitFor('reads to fail', async () => (await etcd.get('/t/').catch(ignoreEtcd)) === undefined);
    await expect(etcd.get('/t/')).rejects.toBeInstanceOf(EtcdError);
    await expect(etcd.transact([], [{ put: '/t/late', value: 'x' }])).rejects.toMatchObject({ fate: 'unknown' });
  } finally {
    for (const name of away) process.kill(cluster.member(name).pid, 'SIGCONT');
  }
  await cluster.leader();
});

test('if no member listens, there is no effect, and the error names the address', async () => {
  const etcd = cluster.client({ urls: ['https://127.0.0.1:1'] });
  await expect(etcd.put('/x', 'y')).rejects.toMatchObject({
    fate: 'none',
    message: expect.stringContaining('https://127.0.0.1:1'),
  });
});

function ignoreEtcd(error: unknown): undefined {
  if (!(error instanceof EtcdError)) throw error;
  return undefined;
}
