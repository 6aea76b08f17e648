// Health checks of backends: their findings and records, and that they lock no account.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { LeaseLostError, Leases } from '../../../../../platform/leases/leases.ts';
import { decodeUuid, encodeId, newToken } from '../../../../../platform/values/ids.ts';
import {
  BackendChecker,
  listCheckTargets,
  recordCheckResults,
} from '../../../../../subgraphs/relay/control/checks/backend-checker.ts';
import { drivers } from '../../../../../subgraphs/relay/drivers/registry.ts';
import { testEgress } from '../../../../support/machine/egress.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { NftDevice } from '../../support/nft-device.ts';
import { identity, type RelayNode, RelaySystem } from '../../support/relay-system.ts';

let system: RelaySystem;
let node: RelayNode;
let device: NftDevice;
let checker: BackendChecker;
const signal = new AbortController().signal;

beforeAll(async () => {
  system = await RelaySystem.start();
  node = await system.node();
  device = await NftDevice.start();
  checker = new BackendChecker(node);
});
afterAll(async () => {
  await checker.close();
  await system.stop();
  await device.ssh.stop();
});

const uuid = (id: string) => decodeUuid('Backend', id) ?? '';
const check = (id: string) => checker.check({ id, timeoutMs: 2_000, revision: 'r' }, { signal, egress: testEgress });
async function rowOf(id: string) {
  const rows = await node.db.query<{
    status: string;
    version: number;
    circuit: string;
    message: string;
    software: string;
  }>(
    `SELECT operating_status AS status, version, circuit_state AS circuit, health_message AS message,
      software_version AS software FROM backend WHERE id = ?`,
    [id],
  );
  return rows[0];
}

test('a healthy device is up, reports its version, and is checked on one session', async () => {
  const id = uuid(await device.register(node, 'healthy'));
  const first = await check(id);
  expect(first).toEqual({
    ...{ up: true, message: null, notable: true },
    detail: {
      ...{ softwareVersion: 'nftables 1.0.6', serial: null, openCircuit: null, presented: {} },
      configuration: expect.stringMatching(/^[0-9a-f]{64}$/),
    },
  });
  await check(id);
  expect(device.ssh.connections).toBe(1);
  expect(await listCheckTargets(node.db, { count: 1, wanted: new Set([0]) })).toMatchObject([
    { id, status: 'UNKNOWN' },
  ]);
});

test('results are recorded under the lease; a transition makes an event, and a repeated result does not', async () => {
  const id = uuid(await device.register(node, 'recorded'));
  const lease = await node.leases.acquire('checks/backends/0');
  if (lease === undefined) throw new Error('no lease');
  const seen = { targetId: id, message: null, detail: null, latencyMs: 12.6, at: new Date(), status: 'UP' } as const;
  await recordCheckResults(node.db, system.wake, [seen], lease);
  await recordCheckResults(node.db, system.wake, [seen], lease);
  expect(await rowOf(id)).toMatchObject({ status: 'ONLINE', version: 2 });
  await recordCheckResults(node.db, system.wake, [{ ...seen, status: 'DOWN', message: 'CONNECT_FAILED: x' }], lease);
  expect(await rowOf(id)).toMatchObject({ status: 'OFFLINE', version: 3, message: 'CONNECT_FAILED: x' });
  const events = await node.db.query(
    "SELECT from_status AS f, to_status AS t FROM status_change WHERE kind = 'backend.operatingStatus' ORDER BY id",
  );
  expect(events).toEqual([
    { f: 'UNKNOWN', t: 'ONLINE' },
    { f: 'ONLINE', t: 'OFFLINE' },
  ]);
  await lease.release();
  await expect(recordCheckResults(node.db, system.wake, [seen], lease)).rejects.toThrow(LeaseLostError);
  expect(await rowOf(id)).toMatchObject({ status: 'OFFLINE', version: 3 });
});

test('the lease of its shard is renewed while the recording waits for a row', async () => {
  const id = uuid(await device.register(node, 'locked-row'));
  const leases = new Leases({ db: node.db, owner: newToken(), log: node.log, renewMs: 50 });
  const lease = await leases.acquire('checks/backends/held');
  if (lease === undefined) throw new Error('no lease');
  const release = Promise.withResolvers<void>();
  const locked = Promise.withResolvers<void>();
  const other = node.db.transaction(async (tx) => {
    await tx.query('SELECT 1 FROM backend WHERE id = ? FOR UPDATE', [id]);
    locked.resolve();
    await release.promise;
  });
  await locked.promise;
  const seen = { targetId: id, message: null, detail: null, latencyMs: 3, at: new Date(), status: 'UP' } as const;
  const recording = recordCheckResults(node.db, system.wake, [seen], lease);
  await waitFor('the recording to wait', async () => {
    const sql = `SELECT 1 FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND ID <> CONNECTION_ID()
      AND INFO LIKE '%FROM backend b WHERE b.id = % FOR UPDATE'`;
    return (await node.db.query(sql)).length > 0;
  });
  const beat = async () =>
    (await node.db.query<{ beat: number }>('SELECT beat FROM lease WHERE name = ?', [lease.name]))[0]?.beat ?? 0;
  const before = await beat();
  await waitFor('three renewals', async () => (await beat()) >= before + 3);
  release.resolve();
  await Promise.all([recording, other]);
  expect(lease.signal.aborted).toBe(false);
  await leases.stop();
});

test.each([
  ['closed', 1],
  ['already open, because it was unreachable', 2],
])('a refused login is tried once, and opens the circuit permanently: %s', async (_, shard) => {
  const locked = await NftDevice.start();
  try {
    const credentials = { username: 'netops', password: 'wrong' };
    const id = uuid(await locked.register(node, `locked-${shard}`, { credentials }));
    if (shard === 2) {
      const unreachable = "circuit_state = 'OPEN', circuit_reason = 'CONNECT_FAILED: x', circuit_since = NOW(3)";
      await node.db.execute(`UPDATE backend SET ${unreachable} WHERE id = ?`, [id]);
    }
    const first = await check(id);
    expect(first).toMatchObject({ up: false, message: expect.stringMatching(/^AUTH_FAILED/) });
    const lease = await node.leases.acquire(`checks/backends/locked-${shard}`);
    if (lease === undefined) throw new Error('no lease');
    const seen = { ...first, targetId: id, latencyMs: 3, at: new Date(), status: 'DOWN' } as const;
    await recordCheckResults(node.db, system.wake, [seen], lease);
    expect(await rowOf(id)).toMatchObject({ status: 'OFFLINE', circuit: 'OPEN' });
    expect(await check(id)).toMatchObject({ up: false, message: expect.stringMatching(/^AUTH_FAILED/) });
    expect(locked.ssh.attempts.filter((method) => method === 'password')).toHaveLength(1);
  } finally {
    await locked.ssh.stop();
  }
});

test('a backend without an accepted host key is down, with the presented one; so is an unreachable device', async () => {
  const bare = await NftDevice.start();
  const id = uuid(await bare.register(node, 'bare', { hostKeySha256: null }));
  const unknown = await check(id);
  expect(unknown).toMatchObject({ up: false, message: expect.stringMatching(/^HOST_KEY_UNKNOWN/) });
  expect(unknown.message).toContain(bare.ssh.hostKeySha256);
  expect(unknown.detail?.openCircuit).toBeNull();
  // The presented key is kept for an operator to compare, with one event.
  const lease = await node.leases.acquire('checks/backends/2');
  if (lease === undefined) throw new Error('no lease');
  const seen = { ...unknown, targetId: id, latencyMs: 3, at: new Date(), status: 'DOWN' } as const;
  await recordCheckResults(node.db, system.wake, [seen], lease);
  await recordCheckResults(node.db, system.wake, [seen], lease);
  await lease.release();
  const presented = { kind: 'HOST_KEY', sha256: bare.ssh.hostKeySha256 };
  const global = encodeId('Backend', id);
  const shown = 'query ($id: ID!) { backend(id: $id) { presented { kind sha256 } } }';
  expect((await node.run(identity('VIEWER'), shown, { id: global })).data).toEqual({ backend: { presented } });
  const told = await node.db.query(
    "SELECT to_status AS t FROM status_change WHERE kind = 'backend.identity' AND subject_id = ?",
    [id],
  );
  expect(told).toEqual([{ t: 'HOST_KEY_PRESENTED' }]);
  await node.run(
    identity('OPERATOR'),
    'mutation ($input: BackendHostKeyAcceptInput!) { backendHostKeyAccept(input: $input) { userErrors { code } } }',
    { input: { id: global, hostKeySha256: bare.ssh.hostKeySha256 } },
  );
  expect((await node.run(identity('VIEWER'), shown, { id: global })).data).toEqual({ backend: { presented: null } });
  await bare.ssh.stop();
  expect(await check(id)).toMatchObject({ up: false, message: expect.stringMatching(/^CONNECT_FAILED/) });
});

test('a check of an old address is dropped, because another device may be there now', async () => {
  const [older, newer] = [await NftDevice.start(), await NftDevice.start()];
  try {
    const global = await older.register(node, 'moved');
    const id = uuid(global);
    const seen = await check(id);
    expect(seen).toMatchObject({ up: true, detail: { softwareVersion: 'nftables 1.0.6' } });
    const { port, hostKeySha256 } = newer.ssh;
    const credentials = { username: 'netops', password: 'secret' };
    const { data } = await node.run(
      identity('OPERATOR'),
      'mutation ($input: BackendUpdateInput!) { backendUpdate(input: $input) { userErrors { code message } } }',
      { input: { id: global, port, hostKeySha256, credentials } },
    );
    expect(data).toEqual({ backendUpdate: { userErrors: [] } });
    const lease = await node.leases.acquire('checks/backends/moved');
    if (lease === undefined) throw new Error('no lease');
    const record = (reading: typeof seen) =>
      recordCheckResults(
        ...([node.db, system.wake] as const),
        [{ ...reading, targetId: id, latencyMs: 3, at: new Date(), status: 'UP' }],
        lease,
      );
    await record(seen);
    expect(await rowOf(id)).toMatchObject({ status: 'UNKNOWN', software: null });
    await record(await checker.check({ id, timeoutMs: 2_000, revision: 'moved' }, { signal, egress: testEgress }));
    expect(await rowOf(id)).toMatchObject({ status: 'ONLINE', software: 'nftables 1.0.6' });
    await lease.release();
    await node.db.execute("UPDATE backend SET provisioning_status = 'DISABLED' WHERE id = ?", [id]);
  } finally {
    await older.ssh.stop();
    await newer.ssh.stop();
  }
});

test('an oversized check result does not keep other results from being recorded', async () => {
  const nftables = drivers.get('linux-nftables');
  if (nftables === undefined) throw new Error('there is no such driver');
  const talkative = { softwareVersion: 'v'.repeat(1_000), serial: 's'.repeat(1_000) };
  const health = { ...nftables.health, interpret: () => talkative };
  const odd = new BackendChecker({ ...node, drivers: new Map([[nftables.name, { ...nftables, health }]]) });
  const second = await NftDevice.start();
  const [loud, quiet] = [uuid(await device.register(node, 'loud')), uuid(await second.register(node, 'quiet'))];
  const at = { latencyMs: 3, at: new Date(), status: 'UP' } as const;
  const lease = await node.leases.acquire('checks/backends/talkative');
  if (lease === undefined) throw new Error('no lease');
  const target = { id: loud, timeoutMs: 2_000, revision: 'r' };
  const readings = [await odd.check(target, { signal, egress: testEgress }), await check(quiet)];
  const batch = readings.map((each, index) => ({ ...each, ...at, targetId: [loud, quiet][index] ?? '' }));
  await recordCheckResults(node.db, system.wake, batch, lease);
  expect(await rowOf(loud)).toMatchObject({ status: 'ONLINE', software: 'v'.repeat(255) });
  expect(await rowOf(quiet)).toMatchObject({ status: 'ONLINE', software: 'nftables 1.0.6' });
  await lease.release();
  await odd.close();
  await node.db.execute("UPDATE backend SET provisioning_status = 'DISABLED' WHERE id IN (?, ?)", [loud, quiet]);
  await second.ssh.stop();
});

test('a disabled backend is neither up nor down', async () => {
  const [row] = await node.db.query<{ id: string }>("SELECT id FROM backend WHERE name = 'recorded'");
  const id = row?.id ?? '';
  const document = 'mutation ($input: BackendUpdateInput!) { backendUpdate(input: $input) { userErrors { code } } }';
  const enable = (enabled: boolean) =>
    node.run(identity('OPERATOR'), document, { input: { id: encodeId('Backend', id), enabled } });
  expect((await enable(false)).data).toEqual({ backendUpdate: { userErrors: [] } });
  expect(await rowOf(id)).toMatchObject({ status: 'UNKNOWN' });
  const events = await node.db.query(
    "SELECT from_status AS f, to_status AS t FROM status_change WHERE kind = 'backend.operatingStatus' AND subject_id = ? ORDER BY id DESC LIMIT 1",
    [id],
  );
  expect(events).toEqual([{ f: 'OFFLINE', t: 'UNKNOWN' }]);
  await enable(true);
  expect(await rowOf(id)).toMatchObject({ status: 'UNKNOWN' });
});

test('disabled and deleted backends are not checked', async () => {
  await node.db.execute("UPDATE backend SET provisioning_status = 'DISABLED' WHERE name = 'healthy'");
  const names = (await listCheckTargets(node.db, { count: 1, wanted: new Set([0]) })).map((target) => target.id);
  expect(names).toHaveLength(5);
});
