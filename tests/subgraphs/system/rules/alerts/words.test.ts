// Time, quiet hours, signatures and texts of alerts, as far as they need no database.
import { createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { dashboardLink } from '../../../../../subgraphs/system/rules/alerts/dashboard-link.ts';
import {
  lineOf,
  type Message,
  mailOf,
  slackBody,
  type ToldAlert,
  webhookBody,
} from '../../../../../subgraphs/system/rules/alerts/message.ts';
import { isTimeZone, quietForMs, weekdays } from '../../../../../subgraphs/system/rules/alerts/quiet-hours.ts';
import { ageOf, resumedTime } from '../../../../../subgraphs/system/rules/alerts/steady-time.ts';
import { isWebhookSecret, webhookHeaders } from '../../../../../subgraphs/system/rules/alerts/webhook-signature.ts';

describe('steady time', () => {
  test("another process continues with the database's clock, which may not run backwards", () => {
    expect(resumedTime({ steadyMs: 1_000, atMs: 50_000 }, 53_000)).toBe(4_000);
    expect(resumedTime({ steadyMs: 1_000, atMs: 50_000 }, 20_000)).toBe(1_000);
  });

  test('an event is no older than the previous poll, however far the clock was set ahead', () => {
    const hourMs = 3_600_000;
    expect(ageOf(0, hourMs, 200)).toBe(200);
    expect(ageOf(hourMs, 0, 200)).toBe(0);
    expect(ageOf(0, 150, 200)).toBe(150);
    expect(ageOf(0, hourMs, Number.POSITIVE_INFINITY)).toBe(hourMs);
  });
});

describe('quiet hours', () => {
  const nights = { days: weekdays, from: '22:00', until: '06:00' };
  const at = (time: string) => new Date(time);

  test('a night crosses midnight, in the time zone of the channel', () => {
    expect(quietForMs([nights], 'UTC', at('2026-01-05T21:59:59Z'))).toBeUndefined();
    expect(quietForMs([nights], 'UTC', at('2026-01-05T22:00:00Z'))).toBe(8 * 3_600_000);
    expect(quietForMs([nights], 'UTC', at('2026-01-06T05:59:30Z'))).toBe(30_000);
    expect(quietForMs([nights], 'UTC', at('2026-01-06T06:00:00Z'))).toBeUndefined();
    expect(quietForMs([nights], 'Europe/Berlin', at('2026-01-05T21:00:00Z'))).toBe(8 * 3_600_000);
    expect(quietForMs([nights], 'Asia/Kolkata', at('2026-01-05T16:30:00Z'))).toBe(8 * 3_600_000);
  });

  test('it follows summer time', () => {
    // Berlin is at UTC+2 in July.
    expect(quietForMs([nights], 'Europe/Berlin', at('2026-07-06T20:00:00Z'))).toBe(8 * 3_600_000);
    expect(quietForMs([nights], 'Europe/Berlin', at('2026-07-06T19:59:00Z'))).toBeUndefined();
  });

  test('a weekend begins on its days, and crosses the end of the week', () => {
    const weekend = [{ days: ['SATURDAY', 'SUNDAY'] as const, from: '00:00', until: '00:00' }];
    expect(quietForMs(weekend, 'UTC', at('2026-01-02T23:59:00Z'))).toBeUndefined();
    expect(quietForMs(weekend, 'UTC', at('2026-01-04T12:00:00Z'))).toBe(12 * 3_600_000);
    expect(quietForMs(weekend, 'UTC', at('2026-01-05T00:00:00Z'))).toBeUndefined();
    const sundayNight = [{ days: ['SUNDAY'] as const, from: '22:00', until: '06:00' }];
    expect(quietForMs(sundayNight, 'UTC', at('2026-01-05T05:00:00Z'))).toBe(3_600_000);
  });

  test('if two overlap, the later end counts; without any it is never quiet', () => {
    const both = [nights, { days: weekdays, from: '23:00', until: '07:00' }];
    expect(quietForMs(both, 'UTC', at('2026-01-05T23:30:00Z'))).toBe(7.5 * 3_600_000);
    expect(quietForMs([], 'UTC', at('2026-01-05T23:30:00Z'))).toBeUndefined();
  });

  test('only IANA time zones are accepted', () => {
    expect(isTimeZone('America/New_York')).toBe(true);
    expect(isTimeZone('Middle/Earth')).toBe(false);
  });
});

describe('signatures', () => {
  const key = Buffer.alloc(32, 5);
  const secret = `whsec_${key.toString('base64')}`;

  test('a receiver computes the same from the secret and the headers', () => {
    const body = '{"a":"ä"}';
    const headers = webhookHeaders(secret, { id: 'm1', at: new Date(1_700_000_000_900), body });
    expect(headers['webhook-id']).toBe('m1');
    expect(headers['webhook-timestamp']).toBe('1700000000');
    const expected = createHmac('sha256', key).update(`m1.1700000000.${body}`).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${expected}`);
  });

  test('secrets have 24 to 64 bytes', () => {
    const of = (bytes: number) => `whsec_${Buffer.alloc(bytes, 1).toString('base64')}`;
    expect([of(24), of(32), of(64)].map(isWebhookSecret)).toEqual([true, true, true]);
    expect([of(23), of(65), 'whsec_', 'secret', `${of(32)} `].map(isWebhookSecret)).toEqual([
      ...[false, false, false, false, false],
    ]);
  });
});

describe('messages', () => {
  const alert: ToldAlert = {
    ...{ id: 'A', version: 1, state: 'FIRING', condition: 'NAME_DEGRADED', severity: 'CRITICAL', ruleId: 'R' },
    ...{ ruleName: 'names', projectId: 'P', subjectType: 'Gslb', subjectId: 'S', subjectName: 'www.example' },
    status: 'OFFLINE',
    ...{ cmpObject: { namespace: 'default', type: 'tenant', externalId: '42' }, reason: 'all members <down>\n& out' },
    ...{ since: '2026-01-01T00:00:00.000Z', resolvedAt: null, link: 'https://t.example/gslb?gslb=S' },
  };
  const message: Message = {
    ...{ kind: 'ALERTS', channelName: 'ops', firing: 1_000, resolved: 0, alerts: [alert], cursor: 'C' },
  };

  test('a webhook has the alerts, the number of omitted ones, and the cursor', () => {
    expect(webhookBody(message, new Date(0))).toMatchObject({
      type: 'alerts.changed',
      timestamp: '1970-01-01T00:00:00.000Z',
      data: {
        channelName: 'ops',
        firing: 1_000,
        omitted: 999,
        cursor: 'C',
        alerts: [{ ...alert, runbook: 'docs/runbook.md#name_degraded' }],
      },
    });
    const test = { ...message, kind: 'TEST' as const, firing: 0, alerts: [] };
    expect(webhookBody(test, new Date(0))).toMatchObject({ type: 'alerts.test', data: { omitted: 0 } });
  });

  test('a line has no line break, and Slack gets no markup from a reason', () => {
    expect(lineOf(alert)).toBe('FIRING (critical): Gslb www.example OFFLINE: all members <down> & out');
    const { text } = slackBody(message) as { text: string };
    expect(text).toContain('all members &lt;down&gt; &amp; out <https://t.example/gslb?gslb=S|open>');
    expect(text).toContain('and 999 more');
  });

  test('a long line is cut between characters, so that each receiver can read it', () => {
    for (const before of ['', '.']) {
      const line = lineOf({ ...alert, reason: `${before}${'\u{1f525}'.repeat(400)}` });
      expect(line.isWellFormed()).toBe(true);
      expect(line.length).toBeGreaterThanOrEqual(499);
    }
  });

  test('user-written text mentions no one, and hides no link', () => {
    const reason = '<!channel> @all: [log in again](https://evil.example) ![](https://evil.example/x.png)';
    const { text } = slackBody({ ...message, alerts: [{ ...alert, reason }] }) as { text: string };
    expect(text).not.toMatch(/<!channel>|@all|\]\(/);
    expect(text).toContain('all: [log in again]');
    expect(text).toContain('<https://t.example/gslb?gslb=S|open>');
  });

  test('a mail names its only subject, and has a line for each alert and the link', () => {
    const { subject, text } = mailOf({ ...message, firing: 1 });
    expect(subject).toBe('[Tidegate] 1 firing: Gslb www.example is OFFLINE');
    expect(text).toContain('rule: names, since 2026-01-01T00:00:00.000Z');
    expect(text).toContain('https://t.example/gslb?gslb=S');
    expect(text).toContain('what to do: docs/runbook.md#name_degraded');
    expect(text).not.toContain('more');
    const over: Message = { ...message, firing: 0, resolved: 1, alerts: [{ ...alert, state: 'RESOLVED' }] };
    expect(mailOf(over).text).not.toContain('what to do');
  });

  test('a subject is linked where the dashboard has a page for it', () => {
    const link = (type: string) => dashboardLink('https://t.example', { type, id: 'a b' });
    expect(link('Backend')).toBe('https://t.example/relay?show=a%20b');
    expect(link('GslbNameServer')).toBe('https://t.example/gslb');
    expect(link('AlertRule')).toBeNull();
    expect(dashboardLink(null, { type: 'Backend', id: 'a' })).toBeNull();
  });
});
