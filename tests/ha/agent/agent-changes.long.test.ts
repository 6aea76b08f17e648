// Two agents with real servers and a real etcd. The primary changes on request, or because a server hangs.
import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { killQuietly } from '../../../embedded/server-process.ts';
import { reportValue } from '../../../ha/agent/keys.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';
import {
  agents,
  asRoot,
  endHost,
  etcd,
  folders,
  hold,
  inSync,
  keys,
  lastChange,
  ledEpoch,
  ledToBoth,
  ledUntilMs,
  sql,
  startAgent,
  sync,
  told,
  useTwoHosts,
  wish,
  writes,
} from './two-hosts.ts';

useTwoHosts({ tables: true });

test('after a switchover the other host is the primary, has every write, and the cause is recorded', async () => {
  const { epoch } = await inSync('a', 'b');
  await sql('a', 'INSERT INTO t VALUES (7)');
  told.length = 0;
  const asked = wish('b');
  await etcd.put(keys.switchover, JSON.stringify(asked));
  await inSync('b', 'a');
  expect(await sql<unknown[]>('b', 'SELECT id FROM t')).toHaveLength(7);
  expect([ledEpoch.get('a'), ledEpoch.get('b')]).toEqual([epoch, epoch + 1]);
  expect(await lastChange()).toMatchObject({
    ...{ epoch: epoch + 1, previous: 'a', primary: 'b', cause: 'a switchover to b was requested' },
    ...{ id: asked.id, askedAt: asked.askedAt },
    openedAfterMs: expect.any(Number),
  });
  expect((await etcd.get(keys.switchover)).entries).toEqual([]);
  await waitFor('the end of the rule', () => told.length > 1);
  expect(told).toEqual(['a: leave', 'a: stay']);
});

test('clients are directed to one host only, even if the former primary is slow', async () => {
  const { epoch } = await inSync('b', 'a');
  const { promise, resolve } = Promise.withResolvers<void>();
  const letGo = hold('b', promise);
  try {
    await etcd.put(keys.switchover, JSON.stringify(wish('a')));
    await waitFor('clients at a', () => ledUntilMs.has('a'));
  } finally {
    letGo();
    resolve();
  }
  expect((await inSync('a', 'b')).epoch).toBe(epoch + 1);
  await etcd.put(keys.switchover, JSON.stringify(wish('b')));
  await inSync('b', 'a');
  expect(ledToBoth).toEqual([]);
});

test('while promotion is paused, a killed primary becomes the primary again', async () => {
  await inSync('b', 'a');
  await etcd.put(keys.paused, '{}');
  killQuietly(agents.get('b')?.serverPid ?? 0, 'SIGKILL');
  await writes('b', 8);
  await etcd.transact([], [{ delete: keys.paused }]);
  await inSync('b', 'a');
  expect(await lastChange()).toMatchObject({ previous: 'b', primary: 'b' });
});

test('the time without a primary starts when any data host noticed it, even if the new primary was away', async () => {
  const { reign } = await inSync('b', 'a');
  await etcd.put(keys.paused, '{}');
  await endHost('b');
  const seenByA = async () => {
    const { entries } = await etcd.get(keys.report('a'));
    return reportValue.parse(JSON.parse(entries[0]?.value ?? '')).leaderless;
  };
  await waitFor('a to have seen nobody lead for a while', async () => ((await seenByA())?.ms ?? 0) > 6_000);
  expect(await seenByA()).toMatchObject({ reign });
  await startAgent('b');
  await writes('b', 8);
  await etcd.transact([], [{ delete: keys.paused }]);
  await inSync('b', 'a');
  const { previous, primary, takenAfterMs, openedAfterMs = 0 } = await lastChange();
  expect([previous, primary]).toEqual(['b', 'b']);
  expect(takenAfterMs).toBeGreaterThan(6_000);
  expect(openedAfterMs).toBeGreaterThanOrEqual(takenAfterMs);
});

test('a commit that waits for a hung standby is released once the standby is out of the set, without a failover', async () => {
  const { epoch } = await inSync('b', 'a');
  const pid = agents.get('a')?.serverPid ?? 0;
  process.kill(pid, 'SIGSTOP');
  try {
    await sql('b', 'INSERT INTO t VALUES (10)');
    expect(await sync()).toMatchObject({ epoch, primary: 'b', members: [] });
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  expect((await inSync('b', 'a')).epoch).toBe(epoch);
});

test('a primary whose server hangs gives up the lead', async () => {
  const { epoch } = await inSync('b', 'a');
  process.kill(agents.get('b')?.serverPid ?? 0, 'SIGSTOP');
  await writes('a', 11);
  expect(await lastChange()).toMatchObject({ epoch: epoch + 1, primary: 'a', cause: 'no commit succeeds' });
  expect(await sql<unknown[]>('a', 'SELECT id FROM t')).toHaveLength(10);
  await inSync('a', 'b');
});

test('on request the data of the member is replaced by a new copy, while the primary takes writes', async () => {
  const { epoch, members } = await inSync('a', 'b');
  const old = join(folders.get('b')?.path ?? '', 'mariadb', 'data', 'old-file');
  await writeFile(old, '');
  await etcd.put(keys.reinit('b'), '{}');
  await waitFor('the copy', async () => (await etcd.get(keys.reinit('b'))).entries.length === 0);
  await sql('a', 'INSERT INTO t VALUES (12)');
  await expect(access(old)).rejects.toThrow('ENOENT');
  const again = await inSync('a', 'b');
  expect(again.epoch).toBe(epoch);
  expect(again.members[0]?.incarnation).not.toBe(members[0]?.incarnation);
  expect(await asRoot<unknown[]>('b', 'SELECT id FROM tidegate.t')).toHaveLength(11);
});

test('a member that is tagged noFailover leaves the lead to the last primary, and takes it on request', async () => {
  const { epoch } = await inSync('a', 'b');
  await etcd.put(keys.tags('b'), JSON.stringify({ noFailover: true }));
  killQuietly(agents.get('a')?.serverPid ?? 0, 'SIGKILL');
  await writes('a', 13);
  expect(await lastChange()).toMatchObject({ epoch: epoch + 1, previous: 'a', primary: 'a' });
  await inSync('a', 'b');
  await etcd.put(keys.switchover, JSON.stringify(wish('b')));
  await inSync('b', 'a');
  expect(await lastChange()).toMatchObject({ previous: 'a', primary: 'b', cause: 'a switchover to b was requested' });
});
