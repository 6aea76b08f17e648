// Every option of the commands for a cluster of hosts, over three real members of etcd. No agent runs, so requests that need one are not
// done in time and are withdrawn. Commands that change a host end at their first check.
// needs: root
import { mkdir } from 'node:fs/promises';
import { expect } from '@jest/globals';
import { haKeys } from '../../../../ha/agent/keys.ts';
import { writeHostFile } from '../../../../ha/host/host-file.ts';
import { etcdCluster } from '../../../ha/etcd-cluster.ts';
import type { FlagRun } from './flag-run.ts';

const isRoot = process.getuid?.() === 0;

export async function haCases({ system, coverage, env }: FlagRun): Promise<void> {
  const etcd = await etcdCluster();
  try {
    const folder = system.path('host');
    const members = etcd.urls.map((url, at) => ({
      ...{ name: 'abw'[at] ?? '', address: new URL(url).hostname, serverId: at + 1 },
      kind: at === 2 ? ('witness' as const) : ('data' as const),
    }));
    const { ca: authority, cert: certificate, key } = etcd.tls;
    await writeHostFile(folder, {
      ...{ cluster: 'test', leaseMs: 3_000, strict: false, routerId: 1, me: 'b', members, authority, certificate, key },
      accounts: { applicationPassword: 'a', replicationPassword: 'r' },
    });
    const [keys, client] = [haKeys('test'), etcd.client()];
    const sync = { primary: 'a', epoch: 2, reign: 'r', members: [{ host: 'b', incarnation: 'i' }] };
    await client.put(keys.leader, '{"host":"a","reign":"r"}');
    await client.put(keys.sync, JSON.stringify(sync));
    const data = `--data ${folder}`;
    for (const verb of ['status', 'history', 'pause', 'resume']) {
      expect(await coverage.succeeds(`ha ${verb} ${data}`)).not.toBe('');
      expect(await coverage.succeeds(`ha ${verb} ${data}`)).not.toBe('');
    }
    await coverage.ends(1, 'NOT_FOUND', `ha lost 2 ${data}`);
    const lost = { epoch: 2, transactions: 3, gtids: ['0-1001-7'] };
    await client.put(keys.saved(2, 'a'), JSON.stringify({ ...lost, host: 'a', folder: '/nowhere' }));
    await coverage.ends(1, 'NOT_HERE: 3 transactions are on a', `ha lost 2 ${data}`);
    await mkdir(system.path('saved'), { recursive: true });
    await client.put(keys.saved(2, 'b'), JSON.stringify({ ...lost, host: 'b', folder: system.path('saved') }));
    expect(await coverage.succeeds(`ha lost 2 --json ${data}`)).toContain('"kept":3,"read":0');
    expect(await coverage.succeeds(`ha lost 2 ${data}`)).toContain('3 more transactions were kept');
    await coverage.ends(1, 'NOT_CONFIGURED', 'ha moves --limit 3 --json', env);
    await coverage.succeeds(`ha status --wait 1 ${data}`);
    const [tomorrow, longAgo] = [new Date(Date.now() + 86_400_000).toISOString(), '2026-01-01'];
    await coverage.ends(1, 'BAD_TIME', `ha switchover --at ${longAgo} ${data}`);
    expect(await coverage.succeeds(`ha switchover --to b --at ${tomorrow} --json ${data}`)).toContain('"to": "b"');
    await coverage.ends(1, 'IN_PROGRESS', `ha switchover --at ${tomorrow} ${data}`);
    expect(await coverage.succeeds(`ha status ${data}`)).toContain(`to b at ${tomorrow}, scheduled by`);
    expect(await coverage.succeeds(`ha switchover --cancel --json ${data}`)).toContain('"cancelled"');
    await coverage.ends(1, 'NOT_FOUND', `ha switchover --cancel ${data}`);
    await coverage.ends(64, 'name a tag', `ha tag b ${data}`);
    expect(await coverage.succeeds(`ha tag b --no-failover on --priority 3 --json ${data}`)).toContain('"priority": 3');
    expect(await coverage.succeeds(`ha status ${data}`)).toContain('NO_FAILOVER, PRIORITY 3');
    await coverage.ends(1, 'NO_FAILOVER', `ha switchover --to b --wait 1 ${data}`);
    await coverage.ends(4, 'taken back', `ha switchover --to b --accept-no-failover --wait 1 ${data}`);
    await coverage.succeeds(`ha tag b --no-failover off ${data}`);
    await coverage.ends(4, 'not done within 1 s by a, b, w', `ha renew-certificates --wait 1 ${data}`);
    await coverage.ends(1, 'NOT_FOUND', `ha renew-certificates --host z --json ${data}`);
    await coverage.ends(1, 'SILENT', `ha reinit b --accept-one-copy --wait 1 --json ${data}`);
    expect(await coverage.succeeds(`ha pause --for 30 --json ${data}`)).toContain('"until": "2');
    await coverage.succeeds(`ha resume ${data}`);
    await coverage.ends(4, 'taken back', `ha switchover --to b --wait 1 --json ${data}`);
    await coverage.ends(1, '', `ha rejoin a --wait 1 --json ${data}`);
    await coverage.ends(1, '', `ha promote --to b --lossy --accept-loss 7 --wait 1 --json ${data}`);
    await coverage.succeeds(`ha leave --host w ${data}`);
    await beginningCases(coverage, system.path('nothing'), folder, system.config);
  } finally {
    await etcd.remove();
  }
}

/** In a folder that already belongs to a cluster. */
async function beginningCases(
  coverage: FlagRun['coverage'],
  none: string,
  folder: string,
  config: string,
): Promise<void> {
  await mkdir(none, { recursive: true });
  const asRoot = (said: string, line: string) => coverage.ends(1, isRoot ? said : 'only root', line);
  const host = `--name c --address 127.0.0.9 --site east --units ${none} --no-install --json --data ${folder}`;
  await asRoot('ALREADY', `ha init --vip 127.0.0.10/8 --lease 3 --strict --router-id 7 ${host}`);
  await coverage.ends(1, '', `ha invite --json --data ${none}`);
  await asRoot('NOT_CONFIGURED', `ha agent --config ${config} --log-level warn --data ${none}`);
  const token = `tgh_${'a'.repeat(43)}.${'0'.repeat(64)}`;
  const join = `join ${token} --url https://127.0.0.1:1 --keys ${none} ${host}`;
  await asRoot('ALREADY', `${join} --witness`);
  await asRoot('ALREADY', `${join} --asynchronous`);
}
