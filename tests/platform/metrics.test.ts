// The figures of platform's parts, as Prometheus reads them.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { Database } from '../../platform/database/database.ts';
import { appendStatus } from '../../platform/events/append.ts';
import { StatusFeed } from '../../platform/events/feed.ts';
import { Sequencer } from '../../platform/events/sequencer.ts';
import { newUuid } from '../../platform/ids.ts';
import { Leases } from '../../platform/leases.ts';
import { addFeedMetrics, addPlatformMetrics, createMetrics } from '../../platform/metrics.ts';
import { OwedWork, owe } from '../../platform/owed-work.ts';
import { createLocalWake } from '../../platform/wake.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { kindsOf } from '../support/event-kinds.ts';

const log = pino({ level: 'silent' });
let place: TestDatabase;
let db: Database;

beforeAll(async () => {
  place = await testDatabase();
  db = new Database({ connection: place.connection });
});

afterAll(async () => {
  await db.close();
  await place.drop();
});

function value(text: string, series: string): number | undefined {
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

test('pool, sequencer, feed, leases and owed work', async () => {
  const wake = createLocalWake();
  const sequencer = new Sequencer({ db, wake, log });
  const feed = new StatusFeed({ db, wake, log });
  const leases = new Leases({ db, owner: newUuid(), log });
  const registry = createMetrics();
  addPlatformMetrics(registry, { db, sequencer, leases, owedWork: new OwedWork({ db }) });
  addFeedMetrics(registry, feed);

  await leases.acquire('m');
  await db.transaction(async (tx) => {
    const event = { projectId: null, kind: 'k', subjectType: 'T', subjectId: newUuid(), subjectVersion: 1, from: null };
    await appendStatus(
      tx,
      kindsOf([event]),
      [
        { ...event, to: 'A' },
        { ...event, to: 'B' },
      ],
      wake,
    );
    await owe(tx, 'k', 'x');
  });
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
  await feed.stop();
  await leases.stop();
});

test('with the database away the scrape still answers, and what is not known is not zero', async () => {
  const away = new Database({
    connection: { socketPath: '/nonexistent/mariadb.sock', user: 'u', password: 'p', database: 'd' },
    acquireTimeoutMs: 100,
  });
  const registry = createMetrics();
  const sequencer = new Sequencer({ db: away, wake: createLocalWake(), log });
  addPlatformMetrics(registry, { db: away, sequencer, owedWork: new OwedWork({ db: away }) });
  const text = await registry.metrics();
  expect(value(text, 'tidegate_sequencer_lag_seconds')).toBeNaN();
  expect(value(text, 'tidegate_owed_work{of="rows"}')).toBeUndefined();
  await away.close();
});
