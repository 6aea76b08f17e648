// Delivery to real receivers: signed, with stable IDs, retried, grouped, quiet at night, and independent for each
// channel.
import { createHmac } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { decodeUuid } from '../../../../platform/values/ids.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../../support/machine/temporary-folder.ts';
import { makeCertificates, type TestCertificates } from '../../../support/product/certificates.ts';
import { AlertBench, namesAll, never, subject } from '../support/alert-bench.ts';
import { MailReceiver, Receiver } from '../support/receivers.ts';

let folder: TemporaryFolder;
let certificates: TestCertificates;
let bench: AlertBench;
let receiver: Receiver;
const opened: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  folder = await temporaryFolder();
  certificates = await makeCertificates(folder.path, 'receiver');
  bench = await AlertBench.open();
});
afterAll(async () => {
  await bench?.stop();
  await folder?.remove();
});

beforeEach(async () => {
  receiver = await Receiver.open(certificates);
  opened.push(receiver);
  bench.now = undefined;
  bench.askGraph = namesAll;
  for (const table of ['alert_rule', 'alert_channel']) await bench.system.db.execute(`DELETE FROM ${table}`);
  await bench.look();
  for (const table of ['alert', 'alert_signal']) await bench.system.db.execute(`DELETE FROM ${table}`);
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.close()));
});

const webhook = (to = receiver) =>
  bench.channel({ target: { webhook: { url: to.url() } }, caCertificates: certificates.ca });

interface Body {
  readonly type: string;
  readonly data: {
    readonly firing: number;
    readonly resolved: number;
    readonly omitted: number;
    readonly cursor: string;
    readonly alerts: readonly {
      readonly id: string;
      readonly state: string;
      readonly link: string | null;
      readonly subjectName: string | null;
    }[];
  };
}

const bodyOf = (at: number): Body => JSON.parse(receiver.received[at]?.body ?? 'null') as Body;

test('a webhook gets signed alerts with their cursor and their page, and the history records it', async () => {
  const { id, secret } = await webhook();
  await bench.rule({ lastsMs: 0, channelIds: [id] });
  await bench.nameIs(subject(), 'DEGRADED');
  await bench.look();
  expect(await bench.delivery.runDue()).toEqual([]);
  expect(receiver.received).toHaveLength(1);
  const [{ path, headers, body } = { path: '', headers: {}, body: '' }] = receiver.received;
  expect(path).toBe('/hook?token=hidden');
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const key = Buffer.from((secret ?? '').replace('whsec_', ''), 'base64');
  expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
  const [alert] = await bench.alerts();
  expect(bodyOf(0)).toMatchObject({
    type: 'alerts.changed',
    data: { firing: 1, resolved: 0, omitted: 0, cursor: alert?.cursor, alerts: [{ id: alert?.id, state: 'FIRING' }] },
  });
  expect(bodyOf(0).data.alerts[0]?.link).toMatch(/^https:\/\/tidegate\.example\/gslb\?gslb=/);
  expect(alert?.lastNotifiedAt).not.toBeNull();
  expect(await bench.deliveries(id)).toMatchObject([
    { id: headers['webhook-id'], deliveryState: 'DELIVERED', alertCount: 1, attempts: 1, lastError: null },
  ]);
});

test('a message waits briefly for the name of its subject, and is completed on a later attempt', async () => {
  const { id } = await webhook();
  await bench.rule({ lastsMs: 0, channelIds: [id] });
  bench.askGraph = never;
  await bench.nameIs(subject(), 'DEGRADED');
  await bench.look();
  await bench.delivery.runDue();
  expect(receiver.received).toEqual([]);
  // The graph stays slow.
  await bench.system.db.execute('UPDATE alert SET created_at = created_at - INTERVAL 15 SECOND');
  await bench.hurry();
  receiver.status = 503;
  await bench.delivery.runDue();
  const name = (at: number) => bodyOf(at).data.alerts[0]?.subjectName;
  expect([receiver.received.length, name(0)]).toEqual([1, null]);
  bench.askGraph = namesAll;
  await waitFor('the name', async () => {
    await bench.look(10_000);
    return (await bench.alerts())[0]?.subjectName === 'its name';
  });
  receiver.status = 200;
  await bench.hurry();
  await bench.delivery.runDue();
  expect([receiver.received.length, name(1)]).toEqual([2, 'its name']);
});

describe('a destination that no channel has yet', () => {
  const tryIt = async (target: object, who = bench.operator, others: object = {}) => {
    const input = { target, caCertificates: certificates.ca, idempotencyKey: subject(), ...others };
    const { userErrors } = await bench.mutate<{
      readonly userErrors: readonly { readonly code: string; readonly message: string; readonly field: string[] }[];
    }>('alertTargetTest', '__typename', input, who);
    return userErrors;
  };
  const hook = () => ({ webhook: { url: receiver.url() } });

  test('gets one message, and nothing is kept but an audit entry without its URL', async () => {
    const same = { idempotencyKey: subject() };
    expect(await tryIt(hook(), bench.operator, same)).toEqual([]);
    expect(await tryIt(hook(), bench.operator, same)).toEqual([]);
    expect(receiver.received).toHaveLength(1);
    expect(bodyOf(0).type).toBe('alerts.test');
    const { db } = bench.system;
    expect(await db.query('SELECT id FROM alert_channel')).toEqual([]);
    const [entry] = await db.query<{ details: string }>(
      "SELECT details FROM audit_entry WHERE action = 'alertTargetTest' ORDER BY id DESC LIMIT 1",
    );
    expect(JSON.parse(entry?.details ?? '')).toMatchObject({ target: 'webhook' });
    expect(entry?.details).not.toContain('hidden');
  });

  test('that refuses the message is told at the target, with its answer', async () => {
    receiver.status = 404;
    const [fault] = await tryIt(hook());
    expect(fault).toMatchObject({ code: 'NOT_DELIVERED', field: ['input', 'target'] });
    expect(fault?.message).toMatch(/127\.0\.0\.1:\d+ answered with status 404/);
  });

  test('is dialled only as the egress policy allows, and only so often', async () => {
    expect(await tryIt({ webhook: { url: 'https://169.254.169.254/' } })).toMatchObject([{ code: 'EGRESS_DENIED' }]);
    const codes: (string | undefined)[] = [];
    for (let count = 0; count < 11; count += 1) codes.push((await tryIt(hook(), bench.admin))[0]?.code);
    expect(codes).toEqual([...Array.from({ length: 10 }, () => undefined), 'RATE_LIMITED']);
    expect(receiver.received).toHaveLength(10);
  });
});

describe('rules without a channel', () => {
  const silent = async () => {
    const { data } = await bench.system.ask(bench.operator, '{ alertRules { nodes { name silent } } }', {});
    const { nodes } = data.alertRules as unknown as { readonly nodes: readonly { name: string; silent: boolean }[] };
    return Object.fromEntries(nodes.map((each) => [each.name, each.silent]));
  };
  const setDefault = (id: string, given: object) =>
    bench.mutate('alertChannelUpdate', 'alertChannel { id default }', { id, ...given });

  test('use the default channel of their project, and report that they are silent while there is none', async () => {
    const others = await Receiver.open(certificates);
    opened.push(others);
    await webhook(others);
    await bench.rule({ name: 'bare', lastsMs: 0 });
    expect(await silent()).toEqual({ bare: true });
    const target = { webhook: { url: receiver.url() } };
    const { id } = await bench.channel({ target, caCertificates: certificates.ca, default: true });
    expect(await silent()).toEqual({ bare: false });
    await bench.nameIs(subject(), 'DEGRADED');
    await bench.look();
    await bench.delivery.runDue();
    expect([receiver.received.length, others.received.length]).toEqual([1, 0]);
    await setDefault(id, { enabled: false });
    expect(await silent()).toEqual({ bare: true });
    await setDefault(id, { enabled: true, default: false });
    expect(await silent()).toEqual({ bare: true });
  });

  test('each project and the installation have one default channel; another one replaces it', async () => {
    const target = { webhook: { url: receiver.url() } };
    const made = { target, caCertificates: certificates.ca, default: true };
    const [first, ofAll] = [await bench.channel(made), await bench.channel(made, bench.admin)];
    const second = await bench.channel(made);
    const list = 'query { alertChannels { nodes { id default version } } }';
    const { data } = await bench.system.ask(bench.admin, list, {});
    expect(data.alertChannels.nodes).toHaveLength(3);
    expect(data.alertChannels.nodes).toEqual(
      expect.arrayContaining([
        { id: first.id, default: false, version: 2 },
        { id: second.id, default: true, version: 1 },
        { id: ofAll.id, default: true, version: 1 },
      ]),
    );
    await setDefault(first.id, { default: true });
    await bench.rule({ name: 'bare', lastsMs: 0 });
    expect(await silent()).toEqual({ bare: false });
    await bench.rule({ name: 'own', lastsMs: 0, channelIds: [second.id] });
    await setDefault(second.id, { enabled: false });
    // A rule with its own channels does not use the default.
    expect(await silent()).toEqual({ bare: false, own: true });
  });
});

test('a failed attempt is repeated with the same ID and content, and a restart in between loses nothing', async () => {
  const { id } = await webhook();
  await bench.rule({ lastsMs: 0, resolveAfterMs: 0, channelIds: [id] });
  const name = subject();
  await bench.nameIs(name, 'DEGRADED');
  await bench.look();
  receiver.status = 503;
  await bench.delivery.runDue();
  expect(await bench.deliveries(id)).toMatchObject([
    { deliveryState: 'WAITING', attempts: 1, lastError: expect.stringContaining('status 503') },
  ]);
  // A worker that died between sending and recording would leave the same state.
  receiver.status = 200;
  await bench.hurry();
  await bench.delivery.runDue();
  const [first, second] = receiver.received;
  expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
  expect(JSON.parse(second?.body ?? '').data).toEqual(JSON.parse(first?.body ?? '').data);
  await bench.nameIs(name, 'ONLINE');
  await bench.look();
  await bench.hurry();
  await bench.delivery.runDue();
  expect(bodyOf(2).data).toMatchObject({ firing: 0, resolved: 1 });
  expect(receiver.received[2]?.headers['webhook-id']).not.toBe(first?.headers['webhook-id']);
});

describe('a receiver that refuses for a while', () => {
  const failing = async (id: string) => {
    const document = 'query ($id: ID!) { alertChannel(id: $id) { failingSince givenUpCount } }';
    const { data } = await bench.system.ask(bench.operator, document, { id });
    return data.alertChannel as unknown as { readonly failingSince: string | null; readonly givenUpCount: number };
  };
  const firesAndIsTried = async () => {
    await bench.nameIs(subject(), 'DEGRADED');
    await bench.look();
    await runAll();
  };
  const runAll = async () => {
    for (let before = -1; before < receiver.received.length; ) {
      before = receiver.received.length;
      await bench.delivery.runDue();
    }
  };
  /** On a busy machine some may be retried in between. */
  const idsFrom = (first: number) => [
    ...new Set(receiver.received.slice(first).map(({ headers }) => headers['webhook-id'])),
  ];

  test('gets newer messages tried too; when it is back all arrive, oldest first, and none is lost', async () => {
    const { id } = await webhook();
    await bench.rule({ lastsMs: 0, channelIds: [id] });
    expect(await failing(id)).toEqual({ failingSince: null, givenUpCount: 0 });
    receiver.status = 503;
    for (let count = 0; count < 3; count += 1) await firesAndIsTried();
    const tried = idsFrom(0);
    expect(tried).toHaveLength(3);
    const { failingSince } = await failing(id);
    expect(failingSince).not.toBeNull();
    expect((await bench.deliveries(id)).map(({ deliveryState }) => deliveryState)).toEqual(Array(3).fill('WAITING'));
    receiver.status = 200;
    const before = receiver.received.length;
    await firesAndIsTried();
    const delivered = idsFrom(before);
    expect(delivered.filter((each) => tried.includes(each))).toEqual(tried);
    expect(delivered).toHaveLength(4);
    expect((await bench.deliveries(id)).map(({ deliveryState }) => deliveryState)).toEqual(Array(4).fill('DELIVERED'));
    expect(await failing(id)).toEqual({ failingSince: null, givenUpCount: 0 });
    // A receiver uses the version to find the newer state of an alert.
    for (const { body } of receiver.received) expect(JSON.parse(body).data.alerts[0].version).toBe(1);
  });

  test('when it is back, waiting messages arrive at once, however long the channel groups its alerts', async () => {
    const { id } = await bench.channel({
      target: { webhook: { url: receiver.url() } },
      ...{ caCertificates: certificates.ca, groupMs: 3_600_000 },
    });
    await bench.rule({ lastsMs: 0, channelIds: [id] });
    receiver.status = 503;
    for (let count = 1; count <= 4; count += 1) {
      await bench.nameIs(subject(), 'DEGRADED');
      await bench.look();
      while ((await bench.deliveries(id)).length < count) {
        await bench.system.db.execute("UPDATE owed_work SET due_at = NOW(3) WHERE kind = 'alert-delivery'");
        await bench.delivery.runDue();
      }
    }
    receiver.status = 200;
    await bench.hurry();
    await runAll();
    expect((await bench.deliveries(id)).map(({ deliveryState }) => deliveryState)).toEqual(Array(4).fill('DELIVERED'));
  });

  test('has a limited number of waiting messages: further alerts are collected for one more', async () => {
    const { id } = await webhook();
    await bench.rule({ lastsMs: 0, channelIds: [id] });
    receiver.status = 503;
    for (let count = 0; count < 23; count += 1) await firesAndIsTried();
    expect(idsFrom(0)).toHaveLength(20);
    receiver.status = 200;
    const before = receiver.received.length;
    await bench.hurry();
    await runAll();
    const told = receiver.received.slice(before).map(({ body }) => (JSON.parse(body) as Body).data.firing);
    expect(told).toEqual([...Array(20).fill(1), 3]);
  });

  test('given up messages are counted, and do not delay later ones', async () => {
    const { id } = await webhook();
    await bench.rule({ lastsMs: 0, channelIds: [id] });
    receiver.status = 410;
    await firesAndIsTried();
    expect(await failing(id)).toEqual({ failingSince: expect.any(String), givenUpCount: 1 });
    await bench.mutate('alertChannelTest', 'alertDelivery { id }', { id, idempotencyKey: subject() });
    await runAll();
    expect((await failing(id)).givenUpCount).toBe(1);
    receiver.status = 200;
    await firesAndIsTried();
    expect(await failing(id)).toEqual({ failingSince: null, givenUpCount: 1 });
  });
});

test('a receiver that does not answer delays no other', async () => {
  const dead = await Receiver.open(certificates);
  opened.push(dead);
  dead.status = undefined;
  const [silent, working] = [await webhook(dead), await webhook()];
  await bench.rule({ lastsMs: 0, channelIds: [silent.id, working.id] });
  await bench.nameIs(subject(), 'DEGRADED');
  await bench.look();
  // Two at once, as the worker runs them.
  const runs = [bench.delivery.runDue(), bench.delivery.runDue()];
  await Promise.race(runs);
  expect(receiver.received).toHaveLength(1);
  await Promise.all(runs);
  expect(await bench.deliveries(silent.id)).toMatchObject([{ deliveryState: 'WAITING', attempts: 1 }]);
});

test('unresponsive receivers of one project leave room for the other projects', async () => {
  const dead = await Receiver.open(certificates);
  opened.push(dead);
  dead.status = undefined;
  const tryIt = (id: string, who = bench.operator) =>
    bench.mutate('alertChannelTest', 'alertDelivery { id }', { id, idempotencyKey: subject() }, who);
  for (let count = 0; count < 6; count += 1) await tryIt((await webhook(dead)).id);
  const target = { webhook: { url: receiver.url() } };
  const other = await bench.channel({ target, caCertificates: certificates.ca }, bench.admin);
  await tryIt(other.id, bench.admin);
  // As many at once as a worker has jobs.
  await Promise.all(Array.from({ length: 7 }, () => bench.delivery.runDue()));
  expect(receiver.received).toHaveLength(1);
  expect(dead.mostAtOnce).toBeGreaterThan(1);
  expect(dead.mostAtOnce).toBeLessThanOrEqual(4);
  // Channels that found no room are still owed.
  const [left] = await bench.system.db.query<{ count: number }>(
    "SELECT COUNT(*) AS count FROM owed_work WHERE kind = 'alert-delivery' AND due_at IS NOT NULL",
  );
  expect(Number(left?.count)).toBeGreaterThanOrEqual(6);
});

test('many messages in an hour leave room for critical alerts', async () => {
  const { db } = bench.system;
  const { id } = await webhook();
  await bench.rule({ lastsMs: 0, channelIds: [id] });
  await bench.rule({ condition: 'CIRCUIT_OPEN', severity: 'CRITICAL', channelIds: [id] });
  await db.execute(
    `INSERT INTO alert_notification (id, channel_id, scope, kind, state, message, alert_count)
      SELECT UUID(), ?, ?, 'ALERTS', 'DELIVERED', '', 1 FROM seq_1_to_90`,
    [decodeUuid('AlertChannel', id) ?? '', bench.projectId],
  );
  await bench.nameIs(subject(), 'OFFLINE');
  await bench.look();
  await bench.delivery.runDue();
  expect(receiver.received).toHaveLength(0);
  const backend = { kind: 'backend.circuit', subjectType: 'Backend', subjectId: subject(), to: 'OPEN' };
  await bench.system.append({ ...backend, projectId: bench.projectId });
  await bench.look();
  await bench.hurry();
  await bench.delivery.runDue();
  expect(receiver.received).toHaveLength(1);
  expect(bodyOf(0).data).toMatchObject({ firing: 1, resolved: 0 });
  await db.execute("UPDATE alert_notification SET created_at = NOW(3) - INTERVAL 1 HOUR WHERE message = ''");
  await bench.hurry();
  await bench.delivery.runDue();
  expect(receiver.received).toHaveLength(2);
  const test = await bench.mutate('alertChannelTest', 'alertDelivery { id }', { id, idempotencyKey: subject() });
  expect(test.userErrors).toEqual([]);
});

test('a clock that is set back delays no message, and one that jumps ahead gives none up', async () => {
  const { db } = bench.system;
  const { id } = await webhook();
  await bench.rule({ lastsMs: 0, channelIds: [id] });
  await bench.nameIs(subject(), 'DEGRADED');
  await bench.look();
  receiver.status = 503;
  const triedAgain = async (attempts: number) => {
    await bench.delivery.runDue();
    expect(await bench.deliveries(id)).toMatchObject([{ deliveryState: 'WAITING', attempts }]);
  };
  await triedAgain(1);
  // As if the clock had been set back by a day since then.
  await db.execute("UPDATE alert_notification SET next_at = next_at + INTERVAL 1 DAY WHERE state = 'WAITING'");
  await db.execute("UPDATE owed_work SET due_at = NOW(3) WHERE kind = 'alert-delivery'");
  await triedAgain(2);
  // As if the clock had jumped ahead by two days.
  await db.execute("UPDATE alert_notification SET created_at = created_at - INTERVAL 2 DAY WHERE state = 'WAITING'");
  await db.execute('UPDATE trusted_clock SET trusted_at = NOW(3) - INTERVAL 2 DAY');
  try {
    await bench.hurry();
    await triedAgain(3);
  } finally {
    await db.execute("UPDATE trusted_clock SET trusted_at = '9999-12-31'");
  }
});

test('the text of a message is kept only until it is sent', async () => {
  const { id } = await webhook();
  await bench.rule({ lastsMs: 0, channelIds: [id] });
  const keptBytes = async () => {
    const [row] = await bench.system.db.query<{ bytes: number | null }>(
      'SELECT SUM(LENGTH(message)) AS bytes FROM alert_notification WHERE channel_id = ?',
      [decodeUuid('AlertChannel', id) ?? ''],
    );
    return Number(row?.bytes);
  };
  const cases = [
    { status: 503, isKept: true },
    { status: 200, isKept: false },
    { status: 410, isKept: false },
  ];
  for (const { status, isKept } of cases) {
    receiver.status = status;
    await bench.nameIs(subject(), 'DEGRADED');
    await bench.look();
    for (let times = 0; times < 2; times += 1) {
      await bench.hurry();
      await bench.delivery.runDue();
    }
    expect([status, (await keptBytes()) > 0]).toEqual([status, isKept]);
  }
});

test('a dead site is one message', async () => {
  const { id } = await webhook();
  await bench.rule({ lastsMs: 0, channelIds: [id] });
  for (let count = 0; count < 30; count += 1) await bench.nameIs(subject(), 'OFFLINE');
  await bench.look();
  await bench.delivery.runDue();
  expect(receiver.received).toHaveLength(1);
  expect(bodyOf(0).data).toMatchObject({ firing: 30, omitted: 10 });
  expect(bodyOf(0).data.alerts).toHaveLength(20);
});

describe('quiet hours', () => {
  const quietTimes = [
    {
      days: ['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY', 'SUNDAY'],
      ...{ startTime: '22:00', endTime: '06:00' },
    },
  ];

  test('warnings wait for the morning, critical alerts do not; an alert that is over by then is not sent', async () => {
    const { id } = await bench.channel({
      ...{ target: { webhook: { url: receiver.url() } }, caCertificates: certificates.ca },
      ...{ quietTimes, timeZone: 'Europe/Berlin' },
    });
    const [brief, lasting, urgent] = [subject(), subject(), subject()];
    await bench.rule({ lastsMs: 0, resolveAfterMs: 0, channelIds: [id] });
    await bench.rule({ condition: 'CIRCUIT_OPEN', severity: 'CRITICAL', channelIds: [id] });
    bench.now = new Date('2026-01-05T22:30:00Z');
    await bench.nameIs(brief, 'OFFLINE');
    await bench.nameIs(lasting, 'OFFLINE');
    await bench.look();
    await bench.delivery.runDue();
    expect(receiver.received).toHaveLength(0);
    await bench.system.append({
      ...{ kind: 'backend.circuit', subjectType: 'Backend', subjectId: urgent, projectId: bench.projectId, to: 'OPEN' },
    });
    await bench.nameIs(brief, 'ONLINE');
    await bench.look();
    await bench.hurry();
    await bench.delivery.runDue();
    expect(receiver.received).toHaveLength(1);
    expect(bodyOf(0).data).toMatchObject({ firing: 1, resolved: 0 });
    bench.now = new Date('2026-01-06T05:00:00Z');
    await bench.hurry();
    await bench.delivery.runDue();
    expect(receiver.received).toHaveLength(2);
    expect(bodyOf(1).data).toMatchObject({ firing: 1, resolved: 0 });
  });
});

describe('mail', () => {
  const target = (mail: MailReceiver, more: object = {}) => ({
    target: {
      mail: {
        ...{ host: '127.0.0.1', port: mail.port, userName: 'tidegate', password: 'right' },
        ...{ sender: 'tidegate@example.com', recipients: ['ops@example.com', 'night@example.com'], ...more },
      },
    },
    caCertificates: certificates.ca,
  });

  test.each(['STARTTLS', 'TLS'] as const)('alerts go to all recipients with %s', async (security) => {
    const mail = await MailReceiver.open(certificates, { secure: security === 'TLS' });
    opened.push(mail);
    const { id } = await bench.channel(target(mail, { security }));
    await bench.rule({ name: `mail-${security.toLowerCase()}`, lastsMs: 0, channelIds: [id] });
    await bench.nameIs(subject(), 'DEGRADED', 'ein Mitglied fehlt');
    await bench.look();
    await bench.delivery.runDue();
    expect(mail.received).toMatchObject([
      {
        ...{ from: 'tidegate@example.com', to: ['ops@example.com', 'night@example.com'] },
        ...{ isEncrypted: true, user: 'tidegate' },
      },
    ]);
    const [delivery] = await bench.deliveries(id);
    expect(mail.received[0]?.text).toContain(`Message-ID: <${delivery?.id}@tidegate>`);
    expect(mail.received[0]?.text).toMatch(/Subject: \[Tidegate\] 1 firing/);
  });

  test('a server without STARTTLS, with an unknown certificate, or refusing the password gets nothing', async () => {
    const plain = await MailReceiver.open(certificates, { disabledCommands: ['STARTTLS'], allowInsecureAuth: true });
    const good = await MailReceiver.open(certificates);
    opened.push(plain, good);
    const channels = [
      await bench.channel(target(plain)),
      await bench.channel({ ...target(good), caCertificates: null }),
      await bench.channel(target(good, { password: 'wrong' })),
    ];
    for (const { id } of channels)
      await bench.mutate('alertChannelTest', 'alertDelivery { id }', { id, idempotencyKey: subject() });
    await bench.delivery.runDue();
    expect([plain.received, good.received]).toEqual([[], []]);
    const states = await Promise.all(channels.map(async ({ id }) => (await bench.deliveries(id))[0]));
    expect(states.map((delivery) => delivery?.deliveryState)).toEqual(['WAITING', 'WAITING', 'WAITING']);
    for (const delivery of states) expect(delivery?.lastError).toMatch(/took no mail/);
    expect(JSON.stringify(states)).not.toContain('wrong password:');
  });

  test('a long server reply is quoted only in part, in the log too', async () => {
    const mail = await MailReceiver.open(certificates, {
      onRcptTo: (_address, _session, done) => done(new Error('no '.repeat(5_000))),
    });
    opened.push(mail);
    const { id } = await bench.channel(target(mail));
    const warn = jest.spyOn(bench.system.log, 'warn');
    try {
      await bench.mutate('alertChannelTest', 'alertDelivery { id }', { id, idempotencyKey: subject() });
      await bench.delivery.runDue();
      const [delivery] = await bench.deliveries(id);
      expect(delivery?.lastError).toMatch(/no no no/);
      expect(warn).toHaveBeenCalled();
      for (const call of warn.mock.calls) expect(JSON.stringify(call).length).toBeLessThan(2_048);
    } finally {
      warn.mockRestore();
    }
  });
});

test('Slack gets text without a signature', async () => {
  const { id, secret } = await bench.channel({
    ...{ target: { slack: { url: receiver.url('/services/T/B/hidden') } }, caCertificates: certificates.ca },
  });
  expect(secret).toBeNull();
  await bench.mutate('alertChannelTest', 'alertDelivery { id }', { id, idempotencyKey: subject() });
  await bench.delivery.runDue();
  expect(receiver.received[0]?.path).toBe('/services/T/B/hidden');
  expect(receiver.received[0]?.headers['webhook-signature']).toBeUndefined();
  expect(JSON.parse(receiver.received[0]?.body ?? '')).toEqual({
    text: expect.stringContaining('Test of the alert channel'),
  });
});

test('a receiver that answers 410 is not tried again', async () => {
  const { id } = await webhook();
  receiver.status = 410;
  await bench.mutate('alertChannelTest', 'alertDelivery { id }', { id, idempotencyKey: subject() });
  await bench.delivery.runDue();
  await bench.hurry();
  await bench.delivery.runDue();
  expect(receiver.received).toHaveLength(1);
  expect(await bench.deliveries(id)).toMatchObject([{ test: true, deliveryState: 'FAILED' }]);
});

test('a receiver with a certificate of another authority gets nothing', async () => {
  const { id } = await bench.channel({ target: { webhook: { url: receiver.url() } } });
  await bench.mutate('alertChannelTest', 'alertDelivery { id }', { id, idempotencyKey: subject() });
  await bench.delivery.runDue();
  expect(receiver.received).toEqual([]);
  expect((await bench.deliveries(id))[0]?.lastError).toMatch(/certificate/);
});

test('a disabled channel keeps its alerts until it is enabled', async () => {
  const { id } = await webhook();
  await bench.rule({ lastsMs: 0, channelIds: [id] });
  await bench.mutate('alertChannelUpdate', 'alertChannel { id }', { id, enabled: false });
  await bench.nameIs(subject(), 'DEGRADED');
  await bench.look();
  await bench.delivery.runDue();
  expect(receiver.received).toEqual([]);
  await bench.mutate('alertChannelUpdate', 'alertChannel { id }', { id, enabled: true });
  await bench.delivery.runDue();
  expect(receiver.received).toHaveLength(1);
});
