// The metrics of the platform's parts, as Prometheus reads them.
import { expect, test } from '@jest/globals';
import { Histogram, Registry } from 'prom-client';
import { Durations } from '../../../platform/log/durations.ts';
import { watchCertificateEnd } from '../../../platform/machines/certificate-ends.ts';
import { makeCertificate } from '../../../platform/net/certificates.ts';
import { OwedWork, owe } from '../../../platform/owed/owed-work.ts';
import { addBuildInfo, addFeedMetrics, addPlatformMetrics, createMetrics } from '../../../platform/process/metrics.ts';
import { createRedis } from '../../../platform/work/redis.ts';
import { forFile } from '../../support/jest/shared.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';
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
  await db.execute('UPDATE owed_work SET due_at = due_at - INTERVAL 30 SECOND');
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
  expect(value(after, 'tidegate_lease_renewal_failures_total')).toBe(0);
  expect(value(after, 'tidegate_owed_work_rows{state="due"}')).toBe(1);
  expect(value(after, 'tidegate_owed_work_rows{state="dead"}')).toBe(0);
  expect(value(after, 'tidegate_owed_work_oldest_seconds')).toBeGreaterThan(10);
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
  expect(value(text, 'tidegate_owed_work_rows{state="due"}')).toBeUndefined();
  expect(value(text, 'tidegate_owed_work_oldest_seconds')).toBeNaN();
  await away.stop();
});

test('the version and the roles are labels', async () => {
  const registry = createMetrics();
  addBuildInfo(registry, { version: '1.2.3', commit: undefined }, ['worker', 'gateway']);
  expect(value(await registry.metrics(), 'tidegate_build_info{version="1.2.3",commit="",roles="gateway,worker"}')).toBe(
    1,
  );
});

test('durations have the same text as a histogram of prom-client', async () => {
  const of = { name: 'd_seconds', help: 'Durations', buckets: [0.1, 1] };
  const [ours, theirs] = [new Registry(), new Registry()];
  const durations = new Durations({ ...of, label: 'pool', registry: ours });
  const histogram = new Histogram({ ...of, labelNames: ['pool'], registers: [theirs] });
  expect(await ours.metrics()).toBe(await theirs.metrics());
  for (const [pool, seconds] of [
    ['a', 0.05],
    ['a', 0.1],
    ['a', 0.5],
    ['b', 1],
    ['b', 7],
  ] as const) {
    durations.of(pool).observe(seconds);
    histogram.observe({ pool }, seconds);
  }
  expect(await ours.metrics()).toBe(await theirs.metrics());
  expect(await ours.metrics()).toContain('d_seconds_bucket{le="+Inf",pool="b"} 2');
});

test('a lost connection to Redis is counted when it is made again', async () => {
  const redis = createRedis({ path: ground.place.redisPath }, { log: ground.log });
  const registry = createMetrics();
  addPlatformMetrics(registry, { db: ground.db, redis });
  const now = async (name: string) => value(await registry.metrics(), name);
  try {
    await waitFor('the connection', async () => (await now('tidegate_redis_connected')) === 1);
    expect(await now('tidegate_redis_reconnects_total')).toBe(0);
    redis.stream.destroy();
    await waitFor('the next connection', async () => (await now('tidegate_redis_reconnects_total')) === 1);
    expect(await now('tidegate_redis_connected')).toBe(1);
  } finally {
    redis.disconnect();
  }
  await waitFor('the end', async () => (await now('tidegate_redis_connected')) === 0);
});

test('certificates end when they say, also a renewed one', async () => {
  const [first, second] = [new Date('2031-01-02T03:04:05Z'), new Date('2032-01-02T03:04:05Z')];
  const [old, renewed] = await Promise.all(
    [first, second].map((notAfter) => makeCertificate({ commonName: 'gateway', notAfter })),
  );
  const registry = createMetrics();
  let used = old;
  watchCertificateEnd(registry, { use: 'internal', role: 'gateway' }, () => used?.cert ?? '');
  watchCertificateEnd(registry, { use: 'public', role: 'gateway' }, () => old?.cert ?? '');
  const end = async (use: string) =>
    value(await registry.metrics(), `tidegate_certificate_end_seconds{use="${use}",role="gateway"}`);
  expect([await end('internal'), await end('public')]).toEqual([first, first].map((each) => each.getTime() / 1000));
  used = renewed;
  expect([await end('internal'), await end('public')]).toEqual([second, first].map((each) => each.getTime() / 1000));
  used = undefined;
  expect([await end('internal'), await end('public')]).toEqual([undefined, first.getTime() / 1000]);
});
