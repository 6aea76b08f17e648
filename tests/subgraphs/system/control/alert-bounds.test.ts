// Limits on rules, channels and messages hold when several are created at the same moment.
import { describe, expect, test } from '@jest/globals';
import { encodeId } from '../../../../platform/values/ids.ts';
import { scopeOf } from '../../../../subgraphs/system/control/stores/alert-scope.ts';
import {
  criticalNotificationsPerHour,
  mostAlertChannels,
  mostAlertRules,
  mostNotificationsPerHour,
} from '../../../../subgraphs/system/spec/alert-conditions.ts';
import { forFile } from '../../../support/jest/shared.ts';
import { AlertBench, subject } from '../support/alert-bench.ts';

const bench = forFile(() => AlertBench.open());

interface Payload {
  readonly userErrors: readonly { readonly code: string }[];
}

const atOnce = 8;

/** The distinct codes of refusals, and the number of created objects. */
async function together(make: (place: number) => Promise<Payload>) {
  const done = await Promise.all(Array.from({ length: atOnce }, (_, place) => make(place)));
  return {
    made: done.filter(({ userErrors }) => userErrors.length === 0).length,
    codes: [...new Set(done.flatMap(({ userErrors }) => userErrors.map(({ code }) => code)))],
  };
}

// Names that sort before the existing ones in the index that counts them.
const early = (place: number) => `a-${String(atOnce - place)}`;

describe.each(['a project', 'the installation'])('%s', (whose) => {
  const who = () => (whose === 'a project' ? bench.operator : bench.admin);
  const projectId = () => (whose === 'a project' ? bench.projectId : null);

  test('has a limited number of rules', async () => {
    for (let made = 0; made < mostAlertRules - 3; made += 1) await bench.rule({}, who());
    const done = await together((place) =>
      bench.mutate('alertRuleCreate', 'alertRule { id }', { name: early(place), condition: 'NAME_DEGRADED' }, who()),
    );
    expect(done).toEqual({ made: 3, codes: ['LIMIT_REACHED'] });
  });

  test('has a limited number of channels', async () => {
    const target = { slack: { url: 'https://hooks.example.com/x' } };
    for (let made = 0; made < mostAlertChannels - 3; made += 1) await bench.channel({ target }, who());
    const done = await together((place) =>
      bench.mutate('alertChannelCreate', 'alertChannel { id }', { name: early(place), target }, who()),
    );
    expect(done).toEqual({ made: 3, codes: ['LIMIT_REACHED'] });
  });

  test('has a limited number of channel tests per hour', async () => {
    const { db } = bench.system;
    const scope = scopeOf(projectId());
    const ids = await db.query<{ id: string }>('SELECT id FROM alert_channel WHERE scope = ? ORDER BY id', [scope]);
    await db.execute(
      `INSERT INTO alert_notification (id, channel_id, scope, kind, state, message, alert_count)
        SELECT UUID(), ?, ?, 'ALERTS', 'DELIVERED', '', 1 FROM seq_1_to_${mostNotificationsPerHour - criticalNotificationsPerHour - 3}`,
      [ids[0]?.id ?? '', scope],
    );
    const done = await together((place) => {
      const id = encodeId('AlertChannel', ids[place]?.id ?? '');
      return bench.mutate('alertChannelTest', 'alertDelivery { id }', { id, idempotencyKey: subject() }, who());
    });
    expect(done).toEqual({ made: 3, codes: ['RATE_LIMITED'] });
  });
});
