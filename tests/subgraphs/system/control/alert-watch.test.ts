// The watch on a real database. Events become alerts once, over restarts and takeovers, whatever the clocks do.
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Leases } from '../../../../platform/leases/leases.ts';
import { encodeId, newUuid } from '../../../../platform/values/ids.ts';
import { CertificateExpiry } from '../../../../subgraphs/system/control/alerts/certificate-expiry.ts';
import { forFile } from '../../../support/jest/shared.ts';
import { waitFor } from '../../../support/machine/temporary-folder.ts';
import { asTheGraph } from '../../../support/product/graph-question.ts';
import { AlertBench, namesAll, never, subject } from '../support/alert-bench.ts';

const minuteMs = 60_000;

const bench = forFile(() => AlertBench.open());

beforeEach(() => bench.reset());

// A name that the graph does not have would be left out silently.
test.each([
  ['CIRCUIT_OPEN', 'Backend', 'backend.circuit', 'OPEN'],
  ['LOAD_BALANCER_DEGRADED', 'LoadBalancer', 'loadBalancer.operatingStatus', 'DEGRADED'],
  ['NAME_DEGRADED', 'Gslb', 'gslb.operatingStatus', 'DEGRADED'],
  ['OUTCOME_UNKNOWN', 'RelayOperation', 'relayOperation.state', 'UNKNOWN'],
  ['MAPPING_DRIFTED', 'Mapping', 'mapping.verification', 'DRIFTED'],
])('the alert %s has the name of its %s', async (condition, subjectType, kind, to) => {
  await bench.rule({ condition, lastsMs: 0 });
  const subjectId = subject();
  bench.askGraph = async () => ({ n0: { name: 'its name' } });
  await bench.system.append({ kind, subjectType, subjectId, projectId: bench.projectId, to, reason: null });
  await bench.look();
  expect(await bench.alerts()).toMatchObject([{ alertState: 'FIRING', subjectName: 'its name' }]);
});

test('a slow graph costs no alert its name: it is filled in later, even after the alert is resolved', async () => {
  await bench.rule({ lastsMs: 0, resolveAfterMs: 0 });
  const [open, over] = [subject(), subject()];
  await bench.nameIs(open, 'DEGRADED');
  await bench.nameIs(over, 'DEGRADED');
  await bench.look();
  await bench.nameIs(over, 'ONLINE');
  await bench.look();
  expect((await bench.alerts()).map(({ subjectName }) => subjectName)).toEqual([null, null]);
  bench.askGraph = namesAll;
  // The graph is not queried again at once.
  await bench.look(500);
  await waitFor('the names', async () => {
    await bench.look(10_000);
    return (await bench.alerts()).every(({ subjectName }) => subjectName === 'its name');
  });
});

test('a subject has its name before its alert fires', async () => {
  await bench.rule();
  await bench.nameIs(subject(), 'DEGRADED');
  bench.askGraph = namesAll;
  await bench.look();
  const signals = 'SELECT subject_name AS name FROM alert_signal';
  await waitFor(
    'its name',
    async () => (await bench.system.db.query<{ name: string }>(signals))[0]?.name === 'its name',
  );
  bench.askGraph = never;
  await bench.look(2 * minuteMs);
  expect(await bench.alerts()).toMatchObject([{ alertState: 'FIRING', subjectName: 'its name' }]);
});

test.each([
  ['LoadBalancerHost', 'loadBalancerHost.presence'],
  ['GslbVantagePoint', 'gslbChecker.state'],
  ['GslbNameServer', 'gslbNameServer.state'],
  ['ObjectCluster', 'objectCluster.presence'],
])('the alert about an absent %s takes its name from the event', async (subjectType, kind) => {
  await bench.rule({ condition: 'MACHINE_ABSENT', lastsMs: 0 }, bench.admin);
  await bench.system.append({
    kind,
    subjectType,
    subjectId: subject(),
    projectId: null,
    to: 'ABSENT',
    reason: 'north-1: no report since 06:46 UTC',
  });
  await bench.look();
  expect(await bench.alerts(undefined, bench.admin)).toMatchObject([
    { subjectName: 'north-1', reason: 'no report since 06:46 UTC' },
  ]);
});

test('a flapping machine has one alert, until it is steady', async () => {
  await bench.rule({ condition: 'MACHINE_ABSENT', resolveAfterMs: 0 }, bench.admin);
  const subjectId = subject();
  const is = async (to: string, reason = 'ap') => {
    const event = {
      kind: 'gslbChecker.state',
      subjectType: 'GslbVantagePoint',
      subjectId,
      projectId: null,
      to,
      reason,
    };
    await bench.system.append(event);
    await bench.look(minuteMs);
  };
  for (const to of ['ABSENT', 'PRESENT', 'ABSENT', 'PRESENT', 'ABSENT']) await is(to);
  await is('FLAPPING', 'ap: came or went 6 times since 06:34 UTC');
  await is('FLAPPING', 'ap: came or went 12 times since 06:34 UTC');
  await bench.look(minuteMs);
  const words = { subjectName: 'ap', status: 'FLAPPING', reason: 'came or went 12 times since 06:34 UTC' };
  expect(await bench.alerts(undefined, bench.admin)).toMatchObject([{ alertState: 'FIRING', ...words }]);
  await is('PRESENT', 'ap: steady for 5 minutes, after 14 changes since 06:34 UTC');
  expect(await bench.alerts(undefined, bench.admin)).toMatchObject([{ alertState: 'RESOLVED' }]);
});

test('a name that is degraded for two minutes fires; when it recovers, the alert is resolved', async () => {
  await bench.rule();
  const id = subject();
  bench.askGraph = async ({ variables }) => ({ n0: { name: `the name of ${variables?.n0 === encodeId('Gslb', id)}` } });
  await bench.nameIs(id, 'DEGRADED', 'one member is down');
  await bench.look();
  await bench.look(minuteMs);
  expect(await bench.alerts()).toEqual([]);
  await bench.look(minuteMs);
  expect(await bench.alerts()).toMatchObject([
    {
      ...{ alertState: 'FIRING', status: 'DEGRADED', reason: 'one member is down' },
      subjectName: 'the name of true',
    },
  ]);
  await bench.nameIs(id, 'ONLINE');
  await bench.look();
  await bench.look(minuteMs);
  expect(await bench.alerts(['FIRING'])).toEqual([]);
  expect(await bench.alerts(['RESOLVED'])).toHaveLength(1);
});

test('the changes of an alert are status events that follow its cursor', async () => {
  await bench.rule({ lastsMs: 0, resolveAfterMs: 0 });
  const id = subject();
  await bench.nameIs(id, 'OFFLINE');
  await bench.look();
  const [alert] = await bench.alerts();
  await bench.nameIs(id, 'ONLINE');
  await bench.look();
  const document =
    'subscription ($after: String) { statusChanges(subjectTypes: ["Alert"], after: $after) { change { subjectId from to } } }';
  await bench.system.sequence();
  const stream = await bench.system.subscribe(bench.operator, document, { after: alert?.cursor });
  const seen: unknown[] = [];
  for await (const { data } of stream as AsyncIterable<{ data: { statusChanges: { change: unknown } } }>) {
    if (data.statusChanges.change !== null) seen.push(data.statusChanges.change);
    if (seen.length === 2) break;
  }
  expect(seen).toEqual([
    { subjectId: alert?.id, from: null, to: 'FIRING' },
    { subjectId: alert?.id, from: 'FIRING', to: 'RESOLVED' },
  ]);
});

describe('events that change no signal', () => {
  const storedSeq = async () => (await bench.system.db.query<{ seq: number }>('SELECT seq FROM alert_watch'))[0]?.seq;
  const known = (subjectId: string, to: string) =>
    bench.system.append({
      ...{ kind: 'relayOperation.state', subjectType: 'RelayOperation', subjectId, projectId: bench.projectId, to },
    });

  afterEach(() => void jest.restoreAllMocks());

  test('are neither written nor matched with the rules; their position is stored now and then', async () => {
    await bench.rule({ condition: 'OUTCOME_UNKNOWN', lastsMs: 0 });
    await bench.look();
    const before = await storedSeq();
    const transactions = jest.spyOn(bench.system.db, 'transaction');
    for (let count = 0; count < 3; count += 1) {
      await known(subject(), 'SUCCEEDED');
      await bench.system.sequence();
      transactions.mockClear();
      expect(await bench.watch.look(new AbortController().signal)).toBe(false);
      expect(transactions).not.toHaveBeenCalled();
    }
    expect(await storedSeq()).toBe(before);
    await known(subject(), 'SUCCEEDED');
    await bench.look(30_000);
    expect(await storedSeq()).toBe(Number(before) + 4);
  });

  test('an outcome that becomes known resolves its alert, among calls whose outcome was never unknown', async () => {
    await bench.rule({ condition: 'OUTCOME_UNKNOWN', lastsMs: 0, resolveAfterMs: 0 });
    const [one, brief] = [subject(), subject()];
    await known(subject(), 'SUCCEEDED');
    await bench.look();
    await known(one, 'UNKNOWN');
    await known(brief, 'UNKNOWN');
    await known(brief, 'FAILED');
    await bench.look();
    expect(await bench.alerts()).toMatchObject([{ alertState: 'FIRING', status: 'UNKNOWN' }]);
    await known(subject(), 'SUCCEEDED');
    await bench.look();
    await known(one, 'SUCCEEDED');
    await bench.look();
    expect(await bench.alerts()).toMatchObject([{ alertState: 'RESOLVED' }]);
  });

  test('are read again by the next process, which continues where the last change was stored', async () => {
    await bench.rule({ condition: 'OUTCOME_UNKNOWN', lastsMs: 0, resolveAfterMs: 0 });
    const one = subject();
    await known(one, 'UNKNOWN');
    await bench.look();
    await known(subject(), 'SUCCEEDED');
    await bench.look();
    // As if its process had been killed.
    const killed = bench.watch;
    await bench.system.db.execute("DELETE FROM lease WHERE name = 'alert-watch'");
    const { db, log } = bench.system;
    const leases = new Leases({ db, owner: newUuid(), log });
    bench.watch = bench.newWatch({ leases });
    try {
      await known(one, 'SUCCEEDED');
      await bench.look();
      expect(await bench.alerts()).toMatchObject([{ alertState: 'RESOLVED' }]);
      // The process is not dead after all. It writes nothing, whether or not it has noticed that its lease is lost.
      await known(subject(), 'UNKNOWN');
      await bench.system.sequence();
      expect(await killed.look(new AbortController().signal).catch(() => false)).toBe(false);
      expect(await bench.alerts(['FIRING'])).toEqual([]);
      await bench.look();
      expect(await bench.alerts(['FIRING'])).toHaveLength(1);
    } finally {
      await bench.watch.stop();
      await killed.stop();
      await leases.stop();
      bench.watch = bench.newWatch();
    }
  });
});

describe('restarts', () => {
  test('events from a time without a watch are found afterwards, once', async () => {
    await bench.rule({ lastsMs: 0 });
    await bench.watch.stop();
    const [one, other] = [subject(), subject()];
    await bench.nameIs(one, 'ERROR');
    await bench.nameIs(other, 'ERROR');
    await bench.nameIs(other, 'ONLINE');
    await bench.system.sequence();
    bench.watch = bench.newWatch();
    await bench.look();
    await bench.watch.stop();
    bench.watch = bench.newWatch();
    await bench.look();
    expect(await bench.alerts()).toHaveLength(1);
  });

  test('a process that lost its lease writes nothing, and the next one continues', async () => {
    await bench.rule({ lastsMs: 0 });
    await bench.system.db.execute("UPDATE lease SET token = UUID() WHERE name = 'alert-watch'");
    await bench.nameIs(subject(), 'ERROR');
    await bench.system.sequence();
    await expect(bench.watch.look(new AbortController().signal)).rejects.toThrow('no longer held');
    expect(await bench.alerts()).toEqual([]);
    await bench.system.db.execute("DELETE FROM lease WHERE name = 'alert-watch'");
    await bench.look();
    expect(await bench.alerts()).toHaveLength(1);
  });

  test('a watch that outlives a failover continues where the last change was stored, not at the oldest event', async () => {
    const { db } = bench.system;
    await bench.rule({ lastsMs: 0, resolveAfterMs: 0 });
    const [before, after] = [subject(), subject()];
    await bench.nameIs(before, 'ERROR');
    await bench.look();
    await bench.nameIs(before, 'ONLINE');
    await bench.look();
    // The event is read, and changes nothing. Then the failover loses it.
    await bench.nameIs(after, 'ONLINE');
    await bench.look();
    await db.execute('DELETE FROM status_change ORDER BY seq DESC LIMIT 1');
    await db.execute('UPDATE status_sequencer SET next_seq = next_seq - 1 WHERE id = 1');
    expect(await bench.alerts(['FIRING'])).toEqual([]);
    await bench.nameIs(after, 'ERROR', 'the new one');
    await bench.look();
    expect(await bench.alerts(['FIRING'])).toMatchObject([{ reason: 'the new one' }]);
  });

  test('events removed by retention are skipped, and states that held still hold', async () => {
    const [before, after] = [subject(), subject()];
    await bench.nameIs(before, 'ERROR');
    await bench.look();
    await bench.watch.stop();
    for (let count = 0; count < 3; count += 1) await bench.nameIs(subject(), 'ONLINE');
    await bench.nameIs(after, 'ERROR');
    await bench.system.sequence();
    await bench.system.db.execute(`UPDATE status_sequencer SET oldest_seq = next_seq - 1 WHERE id = 1`);
    await bench.system.db.execute(
      'DELETE FROM status_change WHERE seq < (SELECT oldest_seq FROM status_sequencer WHERE id = 1)',
    );
    bench.watch = bench.newWatch();
    await bench.rule({ lastsMs: 0 });
    await bench.look();
    expect(await bench.alerts()).toHaveLength(2);
  });
});

test('the subjects of one project never hide those of another, nor one that a rule names, nor one with an alert', async () => {
  const { system } = bench;
  const other = await system.system.firstStart.ensureProject('beta');
  const admin = { projectId: encodeId('Project', other) };
  const [late, watched, alerted] = [subject(), subject(), subject()];
  const id = encodeId('Gslb', watched);
  await bench.rule({ lastsMs: 0, resolveAfterMs: 0 });
  await bench.nameIs(alerted, 'OFFLINE');
  await bench.look();
  expect(await bench.alerts()).toHaveLength(1);
  // All are older than the one with an alert.
  await system.db.execute(
    `INSERT INTO alert_signal (condition_name, subject_type, subject_id, project_id, status, since_at, since_ms)
      SELECT 'NAME_DEGRADED', 'Gslb', UUID(), ?, 'OFFLINE', NOW(3), -1 FROM seq_1_to_50000`,
    [bench.projectId],
  );
  await bench.nameIs(watched, 'OFFLINE');
  await bench.nameIs(late, 'OFFLINE', null, other);
  await bench.rule({ lastsMs: 0, watchedSubjectId: id, name: 'one' });
  await bench.rule({ ...admin, lastsMs: 0, name: 'other' }, bench.admin);
  await bench.look();
  const open = await system.db.query<{ subjectId: string; ruleName: string }>(
    'SELECT subject_id AS subjectId, rule_name AS ruleName FROM alert WHERE open_key IS NOT NULL AND subject_id IN (?, ?, ?)',
    [alerted, watched, late],
  );
  expect(open).toHaveLength(3);
  expect(open).toEqual(
    expect.arrayContaining([
      { subjectId: alerted, ruleName: expect.any(String) },
      { subjectId: watched, ruleName: 'one' },
      { subjectId: late, ruleName: 'other' },
    ]),
  );
});

describe('clock steps', () => {
  test('a clock that jumps ahead does not end a wait', async () => {
    await bench.rule();
    await bench.look();
    const id = subject();
    await bench.nameIs(id, 'DEGRADED');
    // As if the database's clock had been set ahead by an hour after the event.
    await bench.system.db.execute('UPDATE status_change SET at = at - INTERVAL 1 HOUR WHERE subject_id = ?', [id]);
    await bench.look(1_000);
    await bench.look(minuteMs);
    expect(await bench.alerts()).toEqual([]);
    await bench.look(minuteMs);
    expect(await bench.alerts()).toHaveLength(1);
  });

  test('a clock that was set back does not prolong a wait, even over a restart', async () => {
    await bench.rule();
    const id = subject();
    await bench.nameIs(id, 'DEGRADED');
    // As if the clock had been set back by an hour right after the event.
    await bench.system.db.execute('UPDATE status_change SET at = at + INTERVAL 1 HOUR WHERE subject_id = ?', [id]);
    await bench.look();
    await bench.look(90_000);
    // The stored time is also ahead of the clock.
    await bench.system.db.execute('UPDATE alert_watch SET at = at + INTERVAL 1 HOUR');
    await bench.watch.stop();
    bench.watch = bench.newWatch();
    await bench.look();
    expect(await bench.alerts()).toEqual([]);
    await bench.look(30_000);
    expect(await bench.alerts()).toHaveLength(1);
  });
});

test('a late check-in fires, and the next check-in resolves it', async () => {
  const id = await bench.rule({ condition: 'CHECK_IN_LATE', lastsMs: 5 * minuteMs, resolveAfterMs: 0 });
  await bench.look();
  await bench.look(4 * minuteMs);
  const checkIn = () => bench.mutate('alertRuleCheckIn', 'alertRule { checkedInAt }', { id });
  await checkIn();
  await bench.look();
  await bench.look(4 * minuteMs);
  expect(await bench.alerts()).toEqual([]);
  await bench.look(minuteMs);
  expect(await bench.alerts()).toMatchObject([{ alertState: 'FIRING', status: 'LATE' }]);
  await checkIn();
  await bench.look();
  expect(await bench.alerts()).toMatchObject([{ alertState: 'RESOLVED' }]);
});

test('a certificate poll that the graph does not answer is repeated soon', async () => {
  await bench.rule({ condition: 'CERTIFICATE_EXPIRES', lastsMs: 0 });
  let asked = 0;
  const answer = { tlsCertificates: { nodes: [], pageInfo: { hasNextPage: false, endCursor: null } } };
  const askGraph = async () => {
    asked += 1;
    if (asked === 1) throw new Error('the graph is slow');
    return answer;
  };
  const look = new CertificateExpiry({ ...bench.system, askGraph: asTheGraph(askGraph) });
  look.start();
  try {
    await waitFor('a second question', async () => asked > 1);
  } finally {
    await look.stop();
  }
});

test('expiring certificates are queried from the graph; a renewed one is resolved, and a missing answer changes nothing', async () => {
  const rule = await bench.rule({ condition: 'CERTIFICATE_EXPIRES', resolveAfterMs: 0 });
  const id = encodeId('TlsCertificate', subject());
  const look = new CertificateExpiry({ ...bench.system, askGraph: asTheGraph((question) => bench.askGraph(question)) });
  const answers = (nodes: readonly object[]) => async () => ({
    tlsCertificates: { nodes, pageInfo: { hasNextPage: false, endCursor: null } },
  });
  const soon = new Date(Date.now() + 86_400_000).toISOString();
  bench.askGraph = answers([{ id, name: 'shop', validUntil: soon }]);
  const { signal } = new AbortController();
  try {
    await look.look(signal);
    await bench.look(minuteMs);
    expect(await bench.alerts()).toMatchObject([{ alertState: 'FIRING', subjectName: 'shop', status: 'EXPIRES' }]);
    bench.askGraph = never;
    await look.look(signal);
    await bench.look(minuteMs);
    expect(await bench.alerts(['FIRING'])).toHaveLength(1);
    bench.askGraph = answers([]);
    await look.look(signal);
    await bench.look(minuteMs);
    expect(await bench.alerts(['FIRING'])).toEqual([]);
    // Knowledge from an earlier rule is not reported when a new rule watches them.
    bench.askGraph = answers([{ id, name: 'shop', validUntil: soon }]);
    await look.look(signal);
    await bench.mutate('alertRuleUpdate', 'alertRule { id }', { id: rule, enabled: false });
    await bench.look(minuteMs);
    await look.look(signal);
    await bench.mutate('alertRuleUpdate', 'alertRule { id }', { id: rule, enabled: true });
    await bench.look(minuteMs);
    expect(await bench.alerts(['FIRING'])).toEqual([]);
    await look.look(signal);
    await bench.look(minuteMs);
    expect(await bench.alerts(['FIRING'])).toHaveLength(1);
  } finally {
    await look.stop();
  }
});
