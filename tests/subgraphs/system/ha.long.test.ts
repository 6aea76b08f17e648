// The cluster of hosts in the graph, over three real etcd members. The test writes the agents' reports and reads the
// requests.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { haCluster } from '../../../compose/ha-cluster.ts';
import { type Change, haKeys, keptActs } from '../../../ha/agent/keys.ts';
import { Cluster } from '../../../ha/cluster.ts';
import type { ClusterHost } from '../../../ha/cluster-status.ts';
import type { EtcdClient } from '../../../ha/etcd.ts';
import { AuditSealer } from '../../../platform/audit/sealer.ts';
import type { Identity } from '../../../platform/caller/identity.ts';
import { encodeId, newUuid } from '../../../platform/values/ids.ts';
import { HaService } from '../../../subgraphs/system/control/ha/ha-service.ts';
import { HaWatch } from '../../../subgraphs/system/control/ha/ha-watch.ts';
import { type EtcdCluster, etcdCluster } from '../../ha/etcd-cluster.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';
import { type SystemBench, systemBench, testAuditKeys } from './support/system-bench.ts';

const keys = haKeys('test');
const admin: Identity = {
  ...{ kind: 'user', id: newUuid(), name: 'ada', admin: true, projects: {}, credentialId: newUuid() },
};
const context = { identity: admin, requestId: 'r-1', loaders: new Map() };

let cluster: EtcdCluster;
let etcd: EtcdClient;
let bench: SystemBench;
let hosts: ClusterHost[];
let reporting: NodeJS.Timeout;

beforeAll(async () => {
  cluster = await etcdCluster();
  etcd = cluster.client();
  hosts = cluster.urls.map((url, at) => ({
    name: 'abw'[at] ?? '',
    address: new URL(url).hostname,
    kind: at === 2 ? ('witness' as const) : ('data' as const),
  }));
  bench = await systemBench({ haCluster: haCluster(() => new Cluster(etcd, 'test', hosts)) });
});

afterAll(async () => {
  bench.system.ha.stop();
  await bench.stop();
  await cluster.remove();
});

beforeEach(async () => {
  await etcd.transact([], [{ delete: keys.switchover }, { delete: keys.paused }]);
  await lead('a', 3, ['b']);
  let said = 0;
  const certificatesEndAt = '2036-01-01T00:00:00.000Z';
  const report = () => {
    said += 1;
    const delays = { agentMs: 3, etcdMs: 1_900, commitMs: 20, pressure: { cpu: 97, io: 0, memory: 0 } };
    const told = {
      said: String(said),
      incarnation: 'i',
      receiving: true,
      wallMs: Date.now(),
      keys: { sealing: 'x' },
      delays,
      certificatesEndAt,
    };
    for (const [host, received] of [
      ['a', 100],
      ['b', 97],
    ] as const)
      void etcd.put(keys.report(host), JSON.stringify({ ...told, received })).catch(() => undefined);
  };
  report();
  reporting = setInterval(report, 200);
});

afterEach(() => clearInterval(reporting));

async function lead(primary: string, epoch: number, members: readonly string[]): Promise<void> {
  const reign = `r-${epoch}`;
  await etcd.put(keys.leader, JSON.stringify({ host: primary, reign }));
  const sync = { primary, epoch, reign, members: members.map((host) => ({ host, incarnation: 'i' })) };
  await etcd.put(keys.sync, JSON.stringify(sync));
}

const moveId = (epoch: number) => `0192d5a0-0000-7000-8000-00000000000${epoch}`;
const wishTo = (to: string) => JSON.stringify({ id: newUuid(), to, from: 'a', askedAt: new Date().toISOString() });

async function changed(change: Partial<Change> & { readonly epoch: number }): Promise<void> {
  const id = moveId(change.epoch);
  const takenAt = new Date(change.epoch * 1_000).toISOString();
  const usual = { id, primary: 'b', previous: 'a', position: 1, takenAt, takenAfterMs: 5 };
  await etcd.put(keys.change(change.epoch), JSON.stringify({ cause: 'it was unplugged', ...usual, ...change }));
}

const watchOptions = () => ({
  ...bench,
  cluster: bench.haCluster as NonNullable<typeof bench.haCluster>,
  ...testAuditKeys,
});
const wished = async (key: string) => (await etcd.get(key)).entries[0]?.value;
const refusal = (code: string, told: object = {}) => ({
  userErrors: [expect.objectContaining({ code, ...told })],
});

async function ask(name: string, input: object | null, as = admin): Promise<unknown> {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input${name === 'haPause' || name === 'haResume' ? '' : '!'}`;
  const what = name === 'haSwitchover' ? 'haMove { id state moveKind }' : 'accepted';
  const document = `mutation ($input: ${type}) { ${name}(input: $input) { ${what} userErrors { code message field retry } } }`;
  const { data, codes } = await bench.ask(as, document, { input });
  expect(codes).toEqual([]);
  return (data as unknown as Record<string, unknown>)[name];
}

test('the status, and the pages of primary changes, newest first', async () => {
  const { data, codes } = await bench.ask(
    admin,
    '{ haStatus { primaryName epoch copies paused move { id } hosts { name state behindTransactions etcd keysDiffer } } }',
  );
  expect(codes).toEqual([]);
  expect(data.haStatus).toMatchObject({
    ...{ primaryName: 'a', epoch: 3, copies: 2, paused: false, move: null },
    hosts: [
      { name: 'a', state: 'PRIMARY', behindTransactions: '0', keysDiffer: false },
      { name: 'b', state: 'IN_SYNC', behindTransactions: '3', keysDiffer: false },
      { name: 'w', state: 'WITNESS', behindTransactions: null, keysDiffer: null },
    ],
  });
  await changed({ epoch: 2 });
  const running = '{ haStatus { move { state primaryName timelineEpoch startedAt finishedAt progressPercent } } }';
  expect((await bench.ask(admin, running)).data.haStatus?.move).toEqual({
    ...{ state: 'RUNNING', primaryName: 'b', timelineEpoch: 2, startedAt: '1970-01-01T00:00:01.995Z' },
    ...{ finishedAt: null, progressPercent: null },
  });
  await changed({ epoch: 3, primary: 'a', previous: 'b', openedAfterMs: 321 });
  const saved = { epoch: 3, host: 'b', transactions: 1, gtids: ['0-2-9'], folder: '/saved/3' };
  await etcd.put(keys.saved(3, 'b'), JSON.stringify(saved));
  const page = `query ($after: String) { haMoves(first: 1, after: $after) { totalCount
    nodes { id version moveKind state startedAt finishedAt updatedAt progressPercent timelineEpoch primaryName previousName reason gapMs leftBehind { hostName transactions gtids folder } } pageInfo { hasNextPage endCursor } } }`;
  const { haMoves: newest } = (await bench.ask(admin, page)).data;
  expect(newest.nodes).toMatchObject([
    {
      ...{ timelineEpoch: 3, primaryName: 'a', previousName: 'b', reason: 'it was unplugged', gapMs: 321 },
      ...{
        id: encodeId('HaMove', moveId(3)),
        moveKind: 'FAILOVER',
        state: 'SUCCEEDED',
        progressPercent: 100,
        version: 4,
      },
      ...{ startedAt: '1970-01-01T00:00:02.995Z', finishedAt: '1970-01-01T00:00:03.316Z' },
      leftBehind: [{ hostName: 'b', transactions: '1', gtids: ['0-2-9'], folder: '/saved/3' }],
    },
  ]);
  const { haMoves: older } = (await bench.ask(admin, page, { after: newest.pageInfo.endCursor })).data;
  // Its host never reported that it accepts writes.
  const ended = { state: 'UNKNOWN', finishedAt: '1970-01-01T00:00:02.995Z', progressPercent: null };
  expect(older).toMatchObject({
    nodes: [{ timelineEpoch: 2, gapMs: null, leftBehind: [], ...ended }],
    totalCount: 2,
    pageInfo: { hasNextPage: false },
  });
  const one =
    'query ($id: ID!) { haMove(id: $id) { timelineEpoch } node(id: $id) { ... on HaMove { timelineEpoch } } }';
  const found = await bench.ask(admin, one, { id: encodeId('HaMove', moveId(3)) });
  expect(found.data).toEqual({ haMove: { timelineEpoch: 3 }, node: { timelineEpoch: 3 } });
  const absent = await bench.ask(admin, one, { id: encodeId('HaMove', newUuid()) });
  expect([absent.data, absent.codes]).toEqual([{ haMove: null, node: null }, []]);
  const other = await bench.ask({ ...admin, admin: false }, 'query ($id: ID!) { node(id: $id) { id } }', {
    id: encodeId('HaMove', moveId(3)),
  });
  expect(other.data).toEqual({ node: null });
});

test('a host shows why it is returning while it does, and each host shows its site', async () => {
  clearInterval(reporting);
  await lead('a', 3, []);
  let said = 0;
  const telling = setInterval(() => {
    said += 1;
    const report = { said: String(said), incarnation: 'i', receiving: false, received: 1, wallMs: Date.now() };
    const away = { said: String(said), wallMs: Date.now(), why: 'a copy: 40 %' };
    void etcd.put(keys.report('b'), JSON.stringify(report)).catch(() => undefined);
    void etcd.put(keys.away('b'), JSON.stringify(away)).catch(() => undefined);
  }, 200);
  const there = hosts;
  hosts = there.map((each) => (each.name === 'b' ? { ...each, site: 'east' } : each));
  try {
    const { data } = await bench.ask(admin, '{ haStatus { hosts { name site state stateReason } } }');
    expect(data.haStatus?.hosts[1]).toEqual({
      name: 'b',
      site: 'east',
      state: 'RETURNING',
      stateReason: 'a copy: 40 %',
    });
    expect(data.haStatus?.hosts[0]).toMatchObject({ site: null, stateReason: null });
  } finally {
    hosts = there;
    clearInterval(telling);
    await etcd.transact([], [{ delete: keys.away('b') }]);
  }
});

test('a switchover is requested once, under its key, and audited; one in progress or done is not requested again', async () => {
  const input = { idempotencyKey: 'switch-1', to: 'b' };
  const first = await ask('haSwitchover', input);
  const wish = JSON.parse((await wished(keys.switchover)) ?? '');
  expect(wish).toMatchObject({ to: 'b', from: 'a' });
  const id = encodeId('HaMove', wish.id);
  expect(first).toEqual({ haMove: { id, state: 'PENDING', moveKind: 'SWITCHOVER' }, userErrors: [] });
  expect(await ask('haSwitchover', { to: 'b' })).toEqual(first);
  // It is granted. A repetition and another request get the same move.
  await etcd.transact([], [{ delete: keys.switchover }]);
  await lead('b', 4, ['a']);
  await changed({ epoch: 4, id: wish.id, askedAt: wish.askedAt, openedAfterMs: 9 });
  const done = { haMove: { id, state: 'SUCCEEDED', moveKind: 'SWITCHOVER' }, userErrors: [] };
  expect(await ask('haSwitchover', input)).toEqual(done);
  expect(await ask('haSwitchover', { to: 'b' })).toEqual(done);
  const trail = '{ auditEntries(first: 1) { nodes { subjectId subject { ... on HaMove { state primaryName } } } } }';
  expect((await bench.ask(admin, trail)).data.auditEntries?.nodes).toEqual([
    { subjectId: id, subject: { state: 'SUCCEEDED', primaryName: 'b' } },
  ]);
  expect(await wished(keys.switchover)).toBeUndefined();
  const audited = "SELECT outcome, details FROM audit_entry WHERE action = 'haSwitchover' ORDER BY id";
  const entries = await bench.db.query<{ outcome: string; details: string }>(audited);
  expect(entries.map(({ outcome }) => outcome)).toEqual(['ACCEPTED', 'ACCEPTED', 'ACCEPTED']);
  expect(entries[0]?.details).toContain('"to":"b"');
});

test('a switchover that does not start in time is withdrawn', async () => {
  const service = new HaService({ ...bench, cluster: bench.haCluster, switchoverMs: 300 });
  expect(await service.switchover(context, { to: 'b' })).toMatchObject({ userErrors: [] });
  const { id } = JSON.parse((await wished(keys.switchover)) ?? '');
  await waitFor('the wish to be taken back', async () => (await wished(keys.switchover)) === undefined);
  service.stop();
  const one =
    'query ($id: ID!) { haMove(id: $id) { version state reason timelineEpoch startedAt finishedAt previousName } }';
  expect((await bench.ask(admin, one, { id: encodeId('HaMove', id) })).data.haMove).toEqual({
    ...{ version: 2, state: 'FAILED', reason: 'it had not begun after 0.3 s, and was taken back' },
    ...{ timelineEpoch: null, startedAt: null, finishedAt: expect.any(String), previousName: 'a' },
  });
});

test('pausing or resuming twice is not an error', async () => {
  const done = { accepted: true, userErrors: [] };
  for (const input of [null, {}]) expect(await ask('haPause', input)).toEqual(done);
  expect(await wished(keys.paused)).toBe('{}');
  expect(await ask('haSwitchover', { to: 'b' })).toMatchObject(refusal('WRONG_STATE'));
  for (const input of [null, {}]) expect(await ask('haResume', input)).toEqual(done);
  expect(await wished(keys.paused)).toBeUndefined();
});

test.each([
  ['an unknown host', { to: 'z' }, 'NOT_FOUND'],
  ['the witness', { to: 'w' }, 'NOT_FOUND'],
  ['no name of a host', { to: 'A host' }, 'INVALID_INPUT'],
])('a switchover to %s is refused, and changes nothing', async (_, input, code) => {
  expect(await ask('haSwitchover', input)).toMatchObject(refusal(code));
  expect(await wished(keys.switchover)).toBeUndefined();
});

test.each([
  ['haSwitchover', { to: 'b' }, 'to'],
  ['haHostJoin', { host: 'b' }, 'host'],
  ['haPause', {}, null],
  ['haResume', {}, null],
])(
  'a bad field of %s is refused with its name and code, and sends no request to the hosts',
  async (name, good, host) => {
    const bad = (field: string, value: string, code: string) =>
      [{ ...good, [field]: value }, refusal(code, { field: ['input', field] })] as const;
    const cases = [
      bad('idempotencyKey', '', 'INVALID_INPUT'),
      bad('idempotencyKey', 'a\u0007b', 'INVALID_INPUT'),
      bad('idempotencyKey', 'x'.repeat(256), 'TOO_LONG'),
      ...(host === null ? [] : [bad(host, '', 'INVALID_INPUT'), bad(host, 'x'.repeat(64), 'TOO_LONG')]),
    ];
    // Resuming needs a pause to end.
    if (name === 'haResume') await etcd.put(keys.paused, '{}');
    const wishes = () => Promise.all([wished(keys.switchover), wished(keys.paused)]);
    const before = await wishes();
    for (const [input, refused] of cases) expect(await ask(name, input)).toMatchObject(refused);
    expect(await wishes()).toEqual(before);
  },
);

test('refused: a host out of sync, another switchover in progress, the return of the primary or of a silent host, and callers who are not administrators', async () => {
  await lead('a', 3, []);
  expect(await ask('haSwitchover', { to: 'b' })).toMatchObject(refusal('NOT_IN_SYNC'));
  await lead('a', 3, ['b']);
  await etcd.put(keys.switchover, wishTo('a'));
  expect(await ask('haSwitchover', { to: 'b' })).toMatchObject(refusal('IN_PROGRESS'));
  expect(await ask('haHostJoin', { host: 'a' })).toMatchObject(refusal('WRONG_STATE'));
  expect(await ask('haHostJoin', { host: 'w' })).toMatchObject(refusal('NOT_FOUND'));
  expect(await ask('haHostJoin', { host: 'b' })).toEqual({ accepted: true, userErrors: [] });
  clearInterval(reporting);
  expect(await ask('haHostJoin', { host: 'b' })).toMatchObject(refusal('UNAVAILABLE'));
  const user = { ...admin, admin: false };
  expect(await ask('haPause', null, user)).toMatchObject(refusal('FORBIDDEN'));
  expect((await bench.ask(user, '{ haStatus { epoch } }')).codes).toEqual(['FORBIDDEN']);
  expect((await bench.ask(user, '{ haStatusReason }')).codes).toEqual(['FORBIDDEN']);
  expect((await bench.ask(admin, '{ haStatusReason }')).data).toEqual({ haStatusReason: null });
});

test('events and metrics report each change once, whichever process polls', async () => {
  const options = watchOptions();
  const told = () =>
    bench.db.query<{ kind: string; to: string; reason: string | null }>(
      "SELECT kind, to_status AS `to`, reason FROM status_change WHERE kind LIKE 'ha.%' ORDER BY id",
    );
  const registry = new Registry();
  const first = new HaWatch({ ...options, registry });
  first.start();
  await waitFor('the first look', async () => (await told()).length === 2);
  await first.stop();
  await changed({ epoch: 4, openedAfterMs: 250 });
  await changed({ epoch: 5, primary: 'a', previous: 'b', cause: 'a switchover', openedAfterMs: 90 });
  await lead('a', 5, []);
  await etcd.put(keys.paused, '{}');
  const second = new HaWatch({ ...options, registry: new Registry() });
  second.start();
  await waitFor('its events', async () => (await told()).length >= 6);
  await lead('a', 5, ['b']);
  await waitFor('two copies', async () => (await told()).length >= 7);
  await second.stop();
  expect(await told()).toEqual([
    { kind: 'ha.primary', to: 'LEADS', reason: expect.stringMatching(/^a took over from b, timeline 3: .*321 ms/) },
    { kind: 'ha.copies', to: 'IN_SYNC', reason: 'a, b' },
    { kind: 'ha.primary', to: 'LEADS', reason: expect.stringMatching(/^b took over from a, timeline 4: .*250 ms/) },
    {
      kind: 'ha.primary',
      to: 'LEADS',
      reason: expect.stringMatching(/^a took over from b, timeline 5: a switchover; 90/),
    },
    { kind: 'ha.copies', to: 'ONE_COPY', reason: 'a' },
    { kind: 'ha.promotion', to: 'PAUSED', reason: null },
    { kind: 'ha.copies', to: 'IN_SYNC', reason: 'a, b' },
  ]);
  const text = await registry.metrics();
  expect(text).toContain('tidegate_ha_copies 2');
  expect(text).toContain('tidegate_ha_host{host="b",state="IN_SYNC"} 1');
  expect(text).toContain('tidegate_ha_behind{host="b"} 3');
  expect(text).toContain('tidegate_ha_certificate_end_seconds{host="b"} 2082758400');
  expect(text).toContain('tidegate_ha_delay_seconds{host="a",part="etcd"} 1.9');
  expect(text).toContain('tidegate_ha_pressure_ratio{host="a",resource="cpu"} 0.97');
});

test('a request made on a host is audited once, whichever process polls, and so is a promotion that lost writes', async () => {
  const people = new Cluster(etcd, 'test', hosts);
  const asker = { user: 'eve', host: 'b' };
  await people.pause(asker);
  await people.resume(asker);
  await people.switchover('b', asker);
  await expect(people.switchover('b', asker)).rejects.toMatchObject({ code: 'IN_PROGRESS' });
  expect(await ask('haPause', null)).toMatchObject({ accepted: true });
  const entries = () =>
    bench.db.query<{ action: string; actor: string; kind: string; details: string }>(
      "SELECT action, actor_name AS actor, actor_kind AS kind, details FROM audit_entry WHERE actor_kind = 'host' ORDER BY id",
    );
  const watching = async (count: number) => {
    const watch = new HaWatch({ ...watchOptions(), registry: new Registry() });
    watch.start();
    await waitFor(`${count} entries`, async () => (await entries()).length >= count);
    await watch.stop();
  };
  await watching(3);
  await changed({ epoch: 6, acceptedLoss: 7 });
  await lead('b', 6, ['a']);
  await watching(4);
  // The transaction is lost with the primary. Entries that the hosts keep are audited again, and existing ones are not.
  await bench.db.execute("DELETE FROM audit_entry WHERE action = 'haPromotedLossy'");
  await bench.db.execute("DELETE FROM ha_act_audited WHERE id LIKE 'lossy-%'");
  await watching(4);
  const by = { actor: 'eve@b', kind: 'host' };
  expect(await entries()).toEqual([
    { ...by, action: 'haPause', details: expect.stringContaining('"host":"b"') },
    { ...by, action: 'haResume', details: expect.stringMatching(/"at":"20/) },
    { ...by, action: 'haSwitchover', details: expect.stringContaining('"to":"b"') },
    {
      actor: 'b',
      kind: 'host',
      action: 'haPromotedLossy',
      details: expect.stringMatching(/"epoch":6.*"acceptedLoss":7/),
    },
  ]);
});

test('the hosts keep the newest signed end of the audit trail: a cut is detected, and excused only after a promotion with a loss', async () => {
  await bench.db.execute('INSERT INTO db_timeline (epoch, lossy) VALUES (6, 1)');
  const sealer = new AuditSealer({ ...bench, keys: testAuditKeys });
  const kept = async () => (await watchOptions().cluster.auditHeads()).map(({ position }) => position);
  const ends = 'SELECT next_position - 1 AS position, head_hash AS hash, head_signature AS signature FROM audit_chain';
  const end = async () => (await bench.db.query<{ position: number; hash: string; signature: string }>(ends))[0];
  const sealed = async () => {
    expect(await ask('haPause', null)).toMatchObject({ accepted: true });
    await sealer.runOnce();
    return (await end()) as NonNullable<Awaited<ReturnType<typeof end>>>;
  };
  const verified = async () => {
    const found = '{ auditVerification { intact firstBrokenPosition reason cuts { position epoch entryPosition } } }';
    return (await bench.ask(admin, found)).data.auditVerification;
  };
  const watching = async (what: string, until: () => Promise<boolean>) => {
    const watch = new HaWatch({ ...watchOptions(), registry: new Registry() });
    watch.start();
    await waitFor(what, until);
    await watch.stop();
  };
  const first = await sealed();
  await watching('the first end', async () => (await kept()).includes(first.position));
  const last = await sealed();
  await watching('the last end', async () => (await kept()).includes(last.position));
  expect(await kept()).toEqual([last.position]);
  expect(await verified()).toMatchObject({ intact: true, reason: null, cuts: [] });

  await bench.db.execute('DELETE FROM audit_entry WHERE position > ?', [first.position]);
  await bench.db.execute('UPDATE audit_chain SET next_position = ? + 1, head_hash = ?, head_signature = ?', [
    ...[first.position, first.hash, first.signature],
  ]);
  const removed = { intact: false, firstBrokenPosition: String(last.position), cuts: [] };
  expect(await verified()).toMatchObject({ ...removed, reason: expect.stringContaining('entries were removed') });
  // Anyone who can write to the database can claim a loss there, but the hosts know of none.
  await bench.db.execute(
    `INSERT INTO audit_entry (actor_kind, actor_name, action, outcome, request_id, details) VALUES ('host', 'b', 'haPromotedLossy', 'ACCEPTED', 'x', '{"epoch":7}')`,
  );
  await new AuditSealer({ ...bench, keys: testAuditKeys }).runOnce();
  expect(await verified()).toMatchObject(removed);
  await bench.db.execute("DELETE FROM audit_entry WHERE request_id = 'x'");
  await bench.db.execute('UPDATE audit_chain SET next_position = ? + 1, head_hash = ?, head_signature = ?', [
    ...[first.position, first.hash, first.signature],
  ]);

  await bench.db.execute('INSERT INTO db_timeline (epoch, lossy) VALUES (7, 1)');
  await changed({ epoch: 7, acceptedLoss: 2 });
  await lead('b', 7, ['a']);
  expect(await verified()).toMatchObject({ ...removed, reason: expect.stringContaining('no sealed entry tells') });
  const losses =
    "SELECT details FROM audit_entry WHERE action = 'haPromotedLossy' AND JSON_VALUE(details, '$.epoch') = 7";
  await watching('its entry', async () => (await bench.db.query(losses)).length === 1);
  const [loss] = await bench.db.query<{ details: string }>(losses);
  expect(JSON.parse(loss?.details ?? '')).toMatchObject({
    ...{ epoch: 7, host: 'b', acceptedLoss: 2, auditHeadPosition: last.position, auditHeadHash: last.hash },
  });
  await sealer.runOnce();
  expect(await verified()).toEqual({
    ...{ intact: true, firstBrokenPosition: null, reason: null },
    cuts: [{ position: String(last.position), epoch: 7, entryPosition: String(last.position) }],
  });
  const told = await sealed();
  await watching('the end after it', async () => (await kept()).includes(told.position));
  expect(await kept()).toEqual([last.position, told.position]);
});

test('the hosts keep only a limited number of requests, the newest', async () => {
  const people = new Cluster(etcd, 'test', hosts);
  for (let count = 0; count < keptActs + 5; count += 1) await people.resume({ user: `u${count}`, host: 'a' });
  const kept = await people.acts();
  expect(kept).toHaveLength(keptActs);
  expect(kept.at(-1)).toMatchObject({ action: 'haResume', user: `u${keptActs + 4}` });
});

test('without a majority of the hosts nothing is known, and no request is made', async () => {
  for (const name of ['a', 'b']) process.kill(cluster.member(name).pid, 'SIGSTOP');
  expect((await bench.ask(admin, '{ haStatus { epoch } }')).codes).toEqual(['UNAVAILABLE']);
  expect(await ask('haPause', null)).toMatchObject(refusal('UNAVAILABLE'));
  for (const name of ['a', 'b']) process.kill(cluster.member(name).pid, 'SIGCONT');
});
