// Alerts in the graph: rights, bounds, bad input, secrets, acknowledging and ending.
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Identity } from '../../../platform/caller/identity.ts';
import { encodeId } from '../../../platform/values/ids.ts';
import { resealChannels } from '../../../subgraphs/system/control/alerts/reseal.ts';
import { mostAlertChannels, mostAlertRules } from '../../../subgraphs/system/spec/alert-conditions.ts';
import { forFile } from '../../support/jest/shared.ts';
import { AlertBench, subject } from './support/alert-bench.ts';
import { makeUser } from './support/system-bench.ts';

const bench = forFile(() => AlertBench.open());
let member: Identity;
let viewer: Identity;
let stranger: Identity;

beforeAll(async () => {
  const other = await bench.system.system.firstStart.ensureProject('beta');
  member = await makeUser(bench.system, 'mia', { projects: { [bench.projectId]: 'MEMBER' } });
  viewer = await makeUser(bench.system, 'vera', { projects: { [bench.projectId]: 'VIEWER' } });
  stranger = await makeUser(bench.system, 'sam', { projects: { [other]: 'OPERATOR' } });
});

interface Refused {
  readonly userErrors: readonly {
    readonly code: string;
    readonly message: string;
    readonly field: readonly string[];
  }[];
}

const refusals = async (name: string, selection: string, input: object, who: Identity = bench.operator) =>
  (await bench.mutate<Refused>(name, selection, input, who)).userErrors.map(({ code, field }) => [code, field.at(-1)]);
const makeRule = (input: object, who?: Identity) => refusals('alertRuleCreate', 'alertRule { id }', input, who);
const makeChannel = (input: object, who?: Identity) =>
  refusals('alertChannelCreate', 'alertChannel { id }', { name: 'bad', ...input }, who);
const url = 'https://hooks.example.com/services/T/hidden?token=hidden';

describe('rules', () => {
  test('members create them, viewers read them, strangers see none', async () => {
    const id = await bench.rule({ name: 'degraded', severity: 'CRITICAL' }, member);
    expect(await makeRule({ name: 'no', condition: 'NAME_DEGRADED' }, viewer)).toEqual([['FORBIDDEN', undefined]]);
    const read = async (who: Identity) => {
      const fields = 'id condition severity lastsMs withinMs resolveAfterMs repeatMs channels { id }';
      const document = `query ($id: ID!) { node(id: $id) { ... on AlertRule { ${fields} } } alertRules { nodes { id } } }`;
      return (await bench.system.ask(who, document, { id })).data;
    };
    expect((await read(viewer)).node).toEqual({
      ...{ id, condition: 'NAME_DEGRADED', severity: 'CRITICAL', lastsMs: 120_000, withinMs: null },
      ...{ resolveAfterMs: 60_000, repeatMs: 14_400_000, channels: [] },
    });
    expect(await read(stranger)).toEqual({ node: null, alertRules: { nodes: [] } });
    expect(await refusals('alertRuleDelete', 'deletedId', { id }, stranger)).toEqual([['NOT_FOUND', 'id']]);
  });

  test('only administrators may have rules of the installation, and some conditions', async () => {
    const id = await bench.rule({ name: 'absent', condition: 'MACHINE_ABSENT' }, bench.admin);
    const { data } = await bench.system.ask(bench.operator, 'query ($id: ID!) { alertRule(id: $id) { id } }', { id });
    expect(data.alertRule).toBeNull();
    expect(await makeRule({ name: 'absent', condition: 'MACHINE_ABSENT' })).toEqual([['INVALID_INPUT', 'condition']]);
  });

  test('each value has its bounds', async () => {
    const of = (more: object) => makeRule({ name: 'bad', condition: 'NAME_DEGRADED', ...more });
    expect(await of({ lastsMs: 86_400_001 })).toEqual([['INVALID_INPUT', 'lastsMs']]);
    expect(await of({ lastsMs: -1 })).toEqual([['INVALID_INPUT', 'lastsMs']]);
    expect(await of({ withinMs: 3_600_000 })).toEqual([['INVALID_INPUT', 'withinMs']]);
    expect(await of({ repeatMs: 1_000 })).toEqual([['INVALID_INPUT', 'repeatMs']]);
    expect(await of({ resolveAfterMs: 86_400_001 })).toEqual([['INVALID_INPUT', 'resolveAfterMs']]);
    expect(await of({ name: 'No Name' })).toEqual([['INVALID_INPUT', 'name']]);
    expect(await of({ watchedSubjectId: encodeId('Backend', subject()) })).toEqual([
      ['INVALID_INPUT', 'watchedSubjectId'],
    ]);
    expect(await of({ channelIds: [encodeId('AlertChannel', subject())] })).toEqual([['NOT_FOUND', '0']]);
    expect(await makeRule({ name: 'degraded', condition: 'CIRCUIT_OPEN' })).toEqual([['ALREADY_EXISTS', 'name']]);
  });

  test('a stale version is refused; only rules on check-ins accept check-ins', async () => {
    const id = await bench.rule({ name: 'stale' });
    expect(await refusals('alertRuleUpdate', 'alertRule { id }', { id, expectedVersion: 7 })).toEqual([
      ['STALE_VERSION', 'expectedVersion'],
    ]);
    expect(await refusals('alertRuleCheckIn', 'alertRule { id }', { id })).toEqual([['WRONG_STATE', 'id']]);
  });

  test('a project has a limited number', async () => {
    const count = mostAlertRules - (await countOf('alert_rule'));
    for (let made = 0; made < count; made += 1) await bench.rule();
    expect(await makeRule({ name: 'one-more', condition: 'NAME_DEGRADED' })).toEqual([['LIMIT_REACHED', undefined]]);
    await bench.system.db.execute("DELETE FROM alert_rule WHERE name LIKE 'rule-%'");
  });
});

async function countOf(table: string): Promise<number> {
  const sql = `SELECT COUNT(*) AS count FROM ${table} WHERE project_id = ?`;
  return Number((await bench.system.db.query<{ count: number }>(sql, [bench.projectId]))[0]?.count);
}

describe('channels', () => {
  test('a URL and secrets are shown nowhere: not in the graph, the database, the audit trail or a refusal', async () => {
    const { id, secret } = await bench.channel({ name: 'hook', target: { webhook: { url } } });
    expect(secret).toMatch(/^whsec_/);
    const mail = { host: 'mail.example.com', sender: 'a@example.com', recipients: ['b@example.com'] };
    await bench.channel({ name: 'post', target: { mail: { ...mail, userName: 'u', password: 'hidden-password' } } });
    const fields = 'destination channelKind userName recipients';
    const { data } = await bench.system.ask(bench.operator, `{ alertChannels { nodes { name ${fields} } } }`);
    expect(data.alertChannels.nodes).toMatchObject([
      { name: 'hook', destination: 'hooks.example.com:443', channelKind: 'WEBHOOK' },
      { name: 'post', destination: 'mail.example.com:587', channelKind: 'MAIL', userName: 'u' },
    ]);
    const rows = await bench.system.db.query('SELECT * FROM alert_channel');
    const trail = await bench.system.db.query("SELECT details FROM audit_entry WHERE action LIKE 'alert%'");
    const kept = JSON.stringify([data, rows, trail]);
    for (const hidden of ['hidden', String(secret)]) expect(kept).not.toContain(hidden);
    expect(trail.length).toBeGreaterThan(0);
    expect(await refusals('alertChannelDelete', 'deletedId', { id }, member)).toEqual([['FORBIDDEN', undefined]]);
  });

  test('a viewer and a member do not see channels', async () => {
    const document = '{ alertChannels { nodes { id } } }';
    for (const who of [viewer, member, stranger])
      expect((await bench.system.ask(who, document)).data.alertChannels).toEqual({ nodes: [] });
  });

  test('bad targets are refused at their fields, and denied addresses by the egress policy', async () => {
    const hook = (text: string, more: object = {}) => makeChannel({ target: { webhook: { url: text, ...more } } });
    for (const bad of [
      'http://a.example/',
      'https://u:p@a.example/',
      'ftp://a.example',
      'nothing',
      'https://1.2.3/x y',
    ])
      expect([bad, (await hook(bad)).length > 0 || bad.startsWith('https://1.2.3')]).toEqual([bad, true]);
    expect(await hook('https://169.254.169.254/')).toEqual([['EGRESS_DENIED', 'url']]);
    expect(await hook(url, { secret: 'whsec_short' })).toEqual([['INVALID_INPUT', 'secret']]);
    const mail = (more: object) =>
      makeChannel({
        target: { mail: { host: 'm.example', sender: 'a@b.example', recipients: ['c@d.example'], ...more } },
      });
    expect(await mail({ sender: 'a@b\r\nBcc: x@y' })).toEqual([['INVALID_INPUT', 'sender']]);
    expect(await mail({ recipients: [] })).toEqual([['INVALID_INPUT', 'recipients']]);
    expect(await mail({ password: 'p' })).toEqual([['INVALID_INPUT', 'userName']]);
    expect(await makeChannel({ target: { slack: { url } }, timeZone: 'Middle/Earth' })).toEqual([
      ['INVALID_INPUT', 'timeZone'],
    ]);
    const quietTimes = [{ days: [], startTime: '25:00', endTime: '06:00' }];
    expect(await makeChannel({ target: { slack: { url } }, quietTimes })).toEqual([
      ['INVALID_INPUT', 'days'],
      ['INVALID_INPUT', 'startTime'],
    ]);
    expect(await makeChannel({ target: { slack: { url } }, caCertificates: 'no PEM' })).toEqual([
      ['INVALID_INPUT', 'caCertificates'],
    ]);
  });

  test('a value that is too long in its stored form is refused, and one that just fits is stored', async () => {
    const long = (letters: string) => ({ target: { slack: { url: `https://hooks.example.com/${letters}` } } });
    expect(await makeChannel(long('語'.repeat(1_500)))).toEqual([['INVALID_INPUT', 'url']]);
    expect(await makeChannel(long('a'.repeat(2_049)))).toEqual([['INVALID_INPUT', 'url']]);
    const pem = (lines: number) =>
      `-----BEGIN CERTIFICATE-----\n${`${'A'.repeat(20)}\n`.repeat(lines)}-----END CERTIFICATE-----\n`;
    expect(await makeChannel({ ...long('x'), caCertificates: pem(3_000) })).toEqual([['TOO_LONG', 'caCertificates']]);
    // A line feed takes two characters in JSON.
    expect(await makeChannel({ ...long('x'), caCertificates: pem(2_300) })).toEqual([['TOO_LONG', 'caCertificates']]);
    const recipients = Array.from({ length: 20 }, (_, at) => `${'r'.repeat(60)}${at}@${'d'.repeat(180)}.example`);
    const mail = { host: 'mail.example.com', userName: '語'.repeat(255), sender: recipients[0], recipients };
    const { id } = await bench.channel({ target: { mail }, caCertificates: pem(2_200) });
    await bench.channel(long(`x?${'\\'.repeat(2_000)}`));
    expect(await refusals('alertChannelDelete', 'deletedId', { id })).toEqual([]);
  });

  test("a channel in use can't be deleted; one of another project is unknown", async () => {
    const { id } = await bench.channel({ name: 'used', target: { slack: { url } } });
    const rule = await bench.rule({ name: 'user', channelIds: [id] });
    expect(await refusals('alertChannelDelete', 'deletedId', { id })).toEqual([['IN_USE', 'id']]);
    expect(await makeRule({ name: 'theirs', condition: 'NAME_DEGRADED', channelIds: [id] }, stranger)).toEqual([
      ['NOT_FOUND', '0'],
    ]);
    await bench.mutate('alertRuleUpdate', 'alertRule { id }', { id: rule, channelIds: [] });
    expect(await refusals('alertChannelDelete', 'deletedId', { id })).toEqual([]);
  });

  test('a target is replaced as a whole, and never changes its kind', async () => {
    const { id } = await bench.channel({ name: 'moved', target: { slack: { url } } });
    const update = (input: object) => refusals('alertChannelUpdate', 'alertChannel { id }', { id, ...input });
    expect(await update({ target: { webhook: { url } } })).toEqual([['INVALID_INPUT', 'target']]);
    expect(await update({ caCertificates: null })).toEqual([['INVALID_INPUT', 'target']]);
    expect(await update({ target: { slack: { url: 'https://other.example/x' } } })).toEqual([]);
  });

  test('a new key reseals the secrets', async () => {
    const { sealer, db } = bench.system;
    const [keyId = ''] = sealer.keyIds();
    await db.execute("UPDATE alert_channel SET key_id = 'gone' WHERE name = 'hook'");
    const { resealed, failed } = await resealChannels(db, { sealer, keyId, openOlder: false });
    expect([resealed, failed]).toEqual([0, [expect.stringContaining('alert channel hook')]]);
    await db.execute("UPDATE alert_channel SET key_id = ? WHERE name = 'hook'", [keyId]);
  });

  test('a project has a limited number', async () => {
    const count = mostAlertChannels - (await countOf('alert_channel'));
    for (let made = 0; made < count; made += 1) await bench.channel({ target: { slack: { url } } });
    expect(await makeChannel({ target: { slack: { url } } })).toEqual([['LIMIT_REACHED', undefined]]);
  });
});

describe('alerts', () => {
  test('a member acknowledges an alert, once, and ends it by hand', async () => {
    await bench.rule({ name: 'firing', lastsMs: 0 });
    const name = subject();
    await bench.nameIs(name, 'OFFLINE');
    await bench.look();
    const [alert] = await bench.alerts(['FIRING']);
    const id = alert?.id ?? '';
    const acknowledge = (who: Identity) => refusals('alertAcknowledge', 'alert { id }', { id }, who);
    expect(await acknowledge(viewer)).toEqual([['FORBIDDEN', undefined]]);
    expect(await acknowledge(stranger)).toEqual([['NOT_FOUND', 'id']]);
    expect(await acknowledge(member)).toEqual([]);
    expect(await acknowledge(bench.operator)).toEqual([]);
    const fields = 'alertState acknowledgedAt acknowledgedBy { name kind } resolvedAt';
    const document = `query ($id: ID!) { alert(id: $id) { ${fields} } }`;
    const read = async () => (await bench.system.ask(viewer, document, { id })).data.alert;
    expect(await read()).toMatchObject({ alertState: 'ACKNOWLEDGED', acknowledgedBy: { name: 'mia', kind: 'USER' } });
    expect(await refusals('alertEnd', 'alert { id }', { id }, member)).toEqual([]);
    expect(await read()).toMatchObject({ alertState: 'RESOLVED' });
    expect(await acknowledge(member)).toEqual([['WRONG_STATE', 'id']]);
    await bench.look(60_000);
    expect(await bench.alerts(['FIRING'])).toEqual([]);
    // The subject is still in the condition, and worse.
    await bench.nameIs(name, 'ERROR');
    await bench.look();
    expect(await bench.alerts(['FIRING'])).toEqual([]);
    await bench.nameIs(name, 'ONLINE');
    await bench.nameIs(name, 'ERROR');
    await bench.look();
    expect(await bench.alerts(['FIRING'])).toHaveLength(1);
    // Ending the first alert again ends nothing of the second.
    expect(await refusals('alertEnd', 'alert { id }', { id }, member)).toEqual([]);
    expect(await bench.alerts(['FIRING'])).toHaveLength(1);
  });

  test('only administrators see an alert of the installation, even if its subject has a project', async () => {
    await bench.rule({ name: 'all-names', lastsMs: 0 }, bench.admin);
    await bench.look();
    const own = await bench.alerts(['FIRING']);
    const all = await bench.alerts(['FIRING'], bench.admin);
    expect(all.length).toBe(own.length + 1);
    interface Attention {
      readonly alerts: { readonly totalCount: number; readonly notShown: readonly { readonly count: number }[] };
    }
    const attention = async (who: Identity) => {
      const document = '{ attention { alerts { totalCount notShown { kind count } needs { kind status } } } }';
      return ((await bench.system.ask(who, document, {})).data.attention as Attention).alerts;
    };
    expect(await attention(bench.admin)).toMatchObject({ totalCount: all.length, notShown: [] });
    const hidden = [{ kind: 'ALERT_FIRING', count: 1 }];
    expect(await attention(bench.operator)).toMatchObject({ totalCount: own.length, notShown: hidden });
    // Another project's alert is not even counted.
    expect(await attention(stranger)).toEqual({ totalCount: 0, needs: [], notShown: hidden });
  });

  test('deleting a project deletes its rules, channels and alerts', async () => {
    await bench.system.db.execute('DELETE FROM project WHERE id = ?', [bench.projectId]);
    expect([await countOf('alert_rule'), await countOf('alert_channel'), await countOf('alert')]).toEqual([0, 0, 0]);
  });
});
