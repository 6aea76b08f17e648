// An alert that a user ends. Only this alert is ended, and only for as long as its subject stays in the condition.
import { beforeEach, describe, expect, test } from '@jest/globals';
import { encodeId } from '../../../../platform/values/ids.ts';
import { CertificateExpiry } from '../../../../subgraphs/system/control/alerts/certificate-expiry.ts';
import { forFile } from '../../../support/jest/shared.ts';
import { AlertBench, subject } from '../support/alert-bench.ts';

const minuteMs = 60_000;

const bench = forFile(() => AlertBench.open());

beforeEach(() => bench.reset());

describe('an alert that is ended by hand', () => {
  const end = (id: string | undefined, who = bench.operator) =>
    bench.mutate('alertEnd', 'alert { alertState }', { id }, who);

  test("leaves other rules' alerts about the same subject, including the installation's", async () => {
    await bench.rule({ lastsMs: 0 });
    await bench.rule({ lastsMs: 0 });
    await bench.rule({ lastsMs: 0, resolveAfterMs: 0 }, bench.admin);
    const id = subject();
    await bench.nameIs(id, 'OFFLINE');
    await bench.look();
    const [own, other] = await bench.alerts(['FIRING']);
    expect(await bench.alerts(['FIRING'], bench.admin)).toHaveLength(3);
    await end(own?.id);
    await bench.look();
    await bench.look(2 * minuteMs);
    expect(await bench.alerts(['FIRING'])).toMatchObject([{ id: other?.id }]);
    expect(await bench.alerts(['FIRING'], bench.admin)).toHaveLength(2);
    // A later rule fires for conditions that already hold.
    await bench.rule({ lastsMs: 0 });
    await bench.look();
    expect(await bench.alerts(['FIRING'])).toHaveLength(2);
    await bench.nameIs(id, 'ONLINE');
    await bench.nameIs(id, 'OFFLINE');
    await bench.look();
    expect(await bench.alerts(['FIRING'])).toHaveLength(3);
    expect(await bench.alerts(['FIRING'], bench.admin)).toHaveLength(4);
  });

  test('stays ended for the next process, and while its rule is changed', async () => {
    const rule = await bench.rule({ lastsMs: 0 });
    await bench.nameIs(subject(), 'OFFLINE');
    await bench.look();
    const [alert] = await bench.alerts(['FIRING']);
    await end(alert?.id);
    await bench.watch.stop();
    bench.watch = bench.newWatch();
    for (const enabled of [false, true]) {
      await bench.mutate('alertRuleUpdate', 'alertRule { id }', { id: rule, enabled });
      await bench.look(minuteMs);
    }
    expect(await bench.alerts(['FIRING'])).toEqual([]);
    // Deleting the rule removes the mark.
    await bench.mutate('alertRuleDelete', 'deletedId', { id: rule });
    expect(await bench.system.db.query('SELECT * FROM alert_end')).toEqual([]);
  });

  test('about a subject that has just recovered fires when the condition returns', async () => {
    await bench.rule({ lastsMs: 0 });
    const id = subject();
    await bench.nameIs(id, 'OFFLINE');
    await bench.look();
    await bench.nameIs(id, 'ONLINE');
    await bench.look();
    const [alert] = await bench.alerts(['FIRING']);
    await end(alert?.id);
    await bench.nameIs(id, 'OFFLINE');
    await bench.look();
    expect(await bench.alerts(['FIRING'])).toHaveLength(1);
  });

  test('about a check-in waits for the next one', async () => {
    await bench.rule({ condition: 'CHECK_IN_LATE', lastsMs: 5 * minuteMs, resolveAfterMs: 0 });
    await bench.look();
    await bench.look(5 * minuteMs);
    const [alert] = await bench.alerts(['FIRING']);
    await end(alert?.id);
    await bench.look();
    await bench.look(4 * minuteMs);
    expect(await bench.alerts(['FIRING'])).toEqual([]);
    await bench.look(minuteMs);
    expect(await bench.alerts(['FIRING'])).toHaveLength(1);
  });

  test('about a certificate fires when the certificate was renewed and expires again', async () => {
    await bench.rule({ condition: 'CERTIFICATE_EXPIRES', resolveAfterMs: 0 });
    const id = encodeId('TlsCertificate', subject());
    const look = new CertificateExpiry({ ...bench.system, askGraph: (question) => bench.askGraph(question) });
    const validFor = (ms: number) => {
      const validUntil = new Date(Date.now() + ms).toISOString();
      const tlsCertificates = {
        nodes: [{ id, name: 'shop', validUntil }],
        pageInfo: { hasNextPage: false, endCursor: null },
      };
      bench.askGraph = async () => ({ tlsCertificates });
    };
    const { signal } = new AbortController();
    try {
      validFor(86_400_000);
      await look.look(signal);
      await bench.look(minuteMs);
      const [alert] = await bench.alerts(['FIRING']);
      await end(alert?.id);
      await look.look(signal);
      await bench.look(minuteMs);
      expect(await bench.alerts(['FIRING'])).toEqual([]);
      validFor(2 * 86_400_000);
      await look.look(signal);
      await bench.look(minuteMs);
      expect(await bench.alerts(['FIRING'])).toHaveLength(1);
    } finally {
      await look.stop();
    }
  });
});
