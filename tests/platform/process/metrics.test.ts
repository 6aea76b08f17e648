// The metrics of the platform's parts, as Prometheus reads them.
import { expect, test } from '@jest/globals';
import { OwedWork, owe } from '../../../platform/owed/owed-work.ts';
import { addFeedMetrics, addPlatformMetrics, createMetrics } from '../../../platform/process/metrics.ts';
import { forFile } from '../../support/jest/shared.ts';
import { LocalContext, TestContext } from '../../support/product/test-context.ts';

const ground = forFile(() => TestContext.open());

function value(text: string, series: string): number | undefined {
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

test('pool, sequencer, feed, leases and owed work', async () => {
  const { db, sequencer, feed, leases } = ground;
  const registry = createMetrics();
  addPlatformMetrics(registry, { db, sequencer, leases, owedWork: new OwedWork({ db }) });
  addFeedMetrics(registry, feed);

  await leases.acquire('m');
  await ground.append({ to: 'A' }, { to: 'B' });
  await db.transaction((tx) => owe(tx, 'k', 'x'));
  await db.execute('UPDATE status_change SET at = at - INTERVAL 30 SECOND');
  const before = await registry.metrics();
  expect(value(before, 'tidegate_sequencer_lag_seconds')).toBeGreaterThan(25);
  await sequencer.runOnce();
  await feed.start();
  const items = feed.subscribe({ filter: () => true });
  const after = await registry.metrics();
  expect(value(after, 'tidegate_sequencer_lag_seconds')).toBe(0);
  expect(value(after, 'tidegate_sequencer_events_total')).toBe(2);
  expect(value(after, 'tidegate_feed_position')).toBe(2);
  expect(value(after, 'tidegate_feed_subscriptions')).toBe(1);
  expect(value(after, 'tidegate_leases_held')).toBe(1);
  expect(value(after, 'tidegate_leases_lost_total')).toBe(0);
  expect(value(after, 'tidegate_owed_work{of="rows"}')).toBe(1);
  expect(value(after, 'tidegate_database_connections{use="active"}')).toBeGreaterThanOrEqual(0);
  expect(value(after, 'process_cpu_seconds_total')).toBeGreaterThan(0);
  await items.return(undefined);
});

test('without the database the scrape still answers, and unknown values are not zero', async () => {
  const connection = { socketPath: '/nonexistent/mariadb.sock', user: 'u', password: 'p', database: 'd' };
  const away = new LocalContext({ connection, acquireTimeoutMs: 100 });
  const registry = createMetrics();
  addPlatformMetrics(registry, { db: away.db, sequencer: away.sequencer, owedWork: new OwedWork(away) });
  const text = await registry.metrics();
  expect(value(text, 'tidegate_sequencer_lag_seconds')).toBeNaN();
  expect(value(text, 'tidegate_owed_work{of="rows"}')).toBeUndefined();
  await away.stop();
});
