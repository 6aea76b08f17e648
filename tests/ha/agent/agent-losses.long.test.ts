import { expect, test } from '@jest/globals';
import { killQuietly } from '../../../embedded/server-process.ts';
import { reportValue, savedValue } from '../../../ha/agent/keys.ts';
import { Cluster } from '../../../ha/cluster.ts';
import { type LostTransaction, lostTransactions } from '../../../ha/lost/lost-writes.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';
import {
  addressOf,
  agents,
  asRoot,
  endHost,
  etcd,
  inSync,
  keys,
  lastChange,
  makeAuditTrail,
  sql,
  startAgent,
  sync,
  useTwoHosts,
  writes,
} from './two-hosts.ts';

useTwoHosts({ tables: true });

test('a host that lacks a write is promoted once the loss is accepted, and lost writes are saved and reported', async () => {
  const { epoch } = await inSync('a', 'b');
  const hosts = ['a', 'b'].map((name) => ({ name, address: addressOf(name), kind: 'data' as const }));
  const people = new Cluster(etcd, 'test', hosts);
  await makeAuditTrail();
  await endHost('b');
  await writes('a', 12);
  await sql(
    'a',
    `INSERT INTO audit_entry (actor_kind, actor_id, actor_name, action, outcome, details) VALUES ('user', 'u', 'ada', 'mappingCreate',
      'ACCEPTED', '{"idempotencyKey": "key-1", "cmpObject": {"type": "vm", "externalId": "vm-1"}}')`,
  );
  await expect(people.promoteLossy('b', 0)).rejects.toMatchObject({ code: 'PRIMARY_LIVES' });
  // The host's last report includes the write.
  const [at] = await asRoot<{ gtid: string }[]>('a', 'SELECT @@GLOBAL.gtid_binlog_pos AS gtid');
  const written = Number(at?.gtid.split('-')[2]);
  await waitFor('its report', async () => {
    const { entries } = await etcd.get(keys.report('a'));
    return reportValue.parse(JSON.parse(entries[0]?.value ?? '')).received >= written;
  });
  await endHost('a');
  await startAgent('b');
  await waitFor('the end of the lease', async () => (await etcd.get(keys.leader)).entries.length === 0);
  const ask = (loss: number) =>
    waitFor('a refusal', () =>
      people.promoteLossy('b', loss).then(
        () => 'asked',
        (error: { code: string; message: string }) => (error.code === 'SILENT' ? undefined : error.message),
      ),
    );
  const refusal = await ask(1_000);
  const loss = Number(/--accept-loss (\d+)/.exec(refusal)?.[1]);
  expect(loss).toBeGreaterThan(0);
  expect(await ask(loss)).toBe('asked');
  await writes('b', 13);
  expect(await sql<unknown[]>('b', 'SELECT id FROM t WHERE id = 12')).toEqual([]);
  expect(await lastChange()).toMatchObject({ previous: 'a', primary: 'b', cause: expect.stringContaining('accepted') });
  expect(await sql<unknown[]>('b', `SELECT lossy FROM db_timeline WHERE epoch = ${epoch + 1}`)).toEqual([{ lossy: 1 }]);
  await startAgent('a');
  expect((await inSync('b', 'a')).epoch).toBe(epoch + 1);
  const { entries } = await etcd.get(keys.saves);
  const told = entries.map(({ value }) => savedValue.parse(JSON.parse(value)));
  const saved = told.find((each) => each.host === 'a' && each.epoch === epoch + 1);
  if (saved === undefined) throw new Error(`nothing was saved: ${JSON.stringify(told)}`);
  const lost: LostTransaction[] = [];
  for await (const each of lostTransactions(saved, saved.folder)) lost.push(each);
  expect(lost).toHaveLength(saved.transactions);
  expect(lost.filter(({ undecoded }) => undecoded !== null)).toEqual([]);
  expect(lost.filter(({ tables }) => tables.includes('t'))).toHaveLength(1);
  expect(lost.flatMap(({ mutations }) => mutations)).toMatchObject([
    {
      ...{ mutation: 'mappingCreate', idempotencyKey: 'key-1', caller: { kind: 'user', id: 'u', name: 'ada' } },
      cmpObject: { namespace: 'default', type: 'vm', externalId: 'vm-1' },
    },
  ]);
  expect(await sql<unknown[]>('a', 'SELECT id FROM t WHERE id = 12')).toEqual([]);
});

test("writes that exist only on a standby are saved and reported, and its data becomes a copy of the primary's", async () => {
  await inSync('b', 'a');
  const earlier = new Set((await etcd.get(keys.saves)).entries.map(({ value }) => value));
  await asRoot('a', 'INSERT INTO tidegate.t VALUES (100)');
  await sql('b', 'INSERT INTO t VALUES (9)');
  const saved = await waitFor('what was kept', async () => {
    const { entries } = await etcd.get(keys.saves);
    const found = entries.filter(({ value }) => !earlier.has(value));
    return found.map(({ value }) => savedValue.parse(JSON.parse(value))).find(({ host }) => host === 'a');
  });
  expect(saved).toMatchObject({ transactions: 1, gtids: [expect.stringMatching(/^0-\d+001-/)] });
  await waitFor('the copy', async () =>
    sql<{ id: number }[]>('a', 'SELECT id FROM t ORDER BY id').then(
      (rows) => rows.map(({ id }) => id).join() === '1,2,3,4,5,6,9,13',
      () => false,
    ),
  );
  await inSync('b', 'a');
});

test('a restarted standby keeps its unapplied transactions, even after a promotion with a loss', async () => {
  const hosts = ['a', 'b'].map((name) => ({ name, address: addressOf(name), kind: 'data' as const }));
  const people = new Cluster(etcd, 'test', hosts);
  // On a busy machine the write may take longer than a silent standby stays in the set. The attempt is then repeated.
  const standby = await waitFor('a write that the standby has not applied', async () => {
    const { epoch } = await inSync('b', 'a');
    const pid = agents.get('a')?.serverPid ?? 0;
    await agents.get('a')?.stop();
    await asRoot('a', 'STOP SLAVE SQL_THREAD');
    await sql('b', 'REPLACE INTO t VALUES (14)');
    const { epoch: now, members } = await sync();
    if (now === epoch && members.length === 1 && members[0]?.host === 'a') return pid;
    await startAgent('a');
    return false;
  });
  const [at] = await asRoot<{ gtid: string }[]>('b', 'SELECT @@GLOBAL.gtid_binlog_pos AS gtid');
  const written = Number(at?.gtid.split('-')[2]);
  await waitFor('its report', async () => {
    const { entries } = await etcd.get(keys.report('b'));
    return reportValue.parse(JSON.parse(entries[0]?.value ?? '')).received >= written;
  });
  await endHost('b');
  killQuietly(standby, 'SIGKILL');
  await startAgent('a');
  await waitFor('the end of the lease', async () => (await etcd.get(keys.leader)).entries.length === 0);
  await waitFor('the wish', () =>
    people.promoteLossy('a', 0).then(
      () => true,
      ({ code, message }: { code: string; message: string }) => {
        if (code !== 'SILENT') throw new Error(message);
        return false;
      },
    ),
  );
  await writes('a', 15);
  expect(await sql<unknown[]>('a', 'SELECT id FROM t WHERE id = 14')).toHaveLength(1);
  await startAgent('b');
  await inSync('a', 'b');
});
