// How long statements and transactions took, and waited, on a real MariaDB: in the metrics, and in the slow log without values.
import { beforeEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { forIdentity } from '../../../platform/caller/caller.ts';
import { DatabaseTimes } from '../../../platform/database/database-times.ts';
import { SlowLog } from '../../../platform/log/slow-log.ts';
import { forFile } from '../../support/jest/shared.ts';
import { TestContext } from '../../support/product/test-context.ts';

const lines: { readonly requestId?: string; readonly tookMs: number }[] = [];
const log = pino({}, { write: (line) => void lines.push(JSON.parse(line)) });
const registry = new Registry();
const times = new DatabaseTimes({ registry, slow: new SlowLog({ log, slowMs: 400 }) });
const ground = forFile(() => TestContext.open({ times, connectionLimit: 5 }));
const sleep = 'SELECT SLEEP(?) AS slept';
const ann = { kind: 'user', id: 'ann', name: 'ann', admin: false, projects: {}, credentialId: 'c' } as const;

beforeEach(() => {
  lines.length = 0;
});

async function figure(name: string, part: 'count' | 'sum', pool: string): Promise<number> {
  const values = (await registry.getSingleMetric(name)?.get())?.values ?? [];
  const wanted = `${name}_${part}`;
  const found = values.find(
    (each) => (each as { metricName?: string }).metricName === wanted && each.labels.pool === pool,
  );
  return found?.value ?? 0;
}
const trips = (pool: string) => figure('tidegate_database_round_trip_seconds', 'count', pool);

test('each statement is one round trip of its pool', async () => {
  const { db } = ground;
  const pools = ['reads', 'ownReads', 'writes', 'transactions'];
  const ofPrisma = async () => await db.prisma.commitRecord.findUnique({ where: { id: 'none' } });
  // Its first statement asks for the version.
  await ofPrisma();
  const before = await Promise.all(pools.map(trips));
  await forIdentity(ann, () => db.query('SELECT 1'));
  await forIdentity(ann, ofPrisma);
  await db.query('SELECT 1');
  await db.execute("DELETE FROM lease WHERE name = 'none'");
  await db.transaction(async (tx) => {
    await tx.query('SELECT 1');
    await tx.execute("DELETE FROM lease WHERE name = 'none'");
  });
  const after = await Promise.all(pools.map(trips));
  // With COMMIT.
  expect(after.map((count, at) => count - (before[at] ?? 0))).toEqual([2, 1, 1, 3]);
});

test('a slow statement and a slow transaction have a line with their request, and without values', async () => {
  const { db } = ground;
  await forIdentity(ann, () => db.query(sleep, [0.5]), 'request-1');
  await forIdentity(ann, () => db.transaction((tx) => tx.query(sleep, [0.5])), 'request-2');
  await forIdentity(ann, () => db.query('SELECT 1'), 'request-3');
  const ofRequests = lines.filter(({ requestId }) => requestId !== undefined);
  expect(ofRequests).toMatchObject([
    { slow: 'statement', pool: 'reads', sql: sleep, requestId: 'request-1' },
    { slow: 'statement', pool: 'transactions', sql: sleep, requestId: 'request-2' },
    { slow: 'transaction', requestId: 'request-2' },
  ]);
  for (const { tookMs } of ofRequests) expect(tookMs).toBeGreaterThanOrEqual(450);
  expect(JSON.stringify(lines)).not.toContain('0.5');
});

test('the wait for a connection is measured', async () => {
  const waited = () => figure('tidegate_database_wait_seconds', 'sum', 'transactions');
  const before = await waited();
  // One caller gets two of the three connections.
  await Promise.all([1, 2, 3].map(() => ground.db.transaction((tx) => tx.query(sleep, [0.05]))));
  expect((await waited()) - before).toBeGreaterThan(0.04);
});
