// The uptimes of many subjects, from events in a real database: which events are kept and read, and the times without a running process.
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import type { Database } from '../../../../platform/database/database.ts';
import { mostChanged, mostEvents, readHours, uptimeField } from '../../../../platform/events/uptime/uptime-reads.ts';
import { RunningTime } from '../../../../platform/leases/running-time.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import { forFile } from '../../../support/jest/shared.ts';
import { TestContext } from '../../../support/product/test-context.ts';

interface Subject {
  readonly id: string;
  readonly status: string;
  readonly createdAt: Date;
}

const hourMs = 3_600_000;
const longAgo = new Date(Date.now() - 100 * 24 * hourMs);
const ground = forFile(() => TestContext.open());
let db: Database;

beforeAll(async () => {
  ({ db } = ground);
});

beforeEach(async () => {
  await db.execute('DELETE FROM status_change');
  await db.execute('DELETE FROM running_time');
  await db.execute('UPDATE status_sequencer SET next_seq = 1, oldest_seq = 1');
});

function uptimes(
  subjects: readonly Subject[],
  window: 'DAY' | 'WEEK' | 'MONTH' = 'DAY',
  sql: Pick<Database, 'query' | 'execute'> = db,
) {
  const field = uptimeField<Subject>(sql, { subjectType: 'T', kind: 'k', judge: 'worker', of: (subject) => subject });
  const context = { identity: null, requestId: 'r', loaders: new Map() } as unknown as RequestContext;
  return Promise.all(subjects.map((subject) => field(subject, { window }, context)));
}

/** Changes of one subject, so many hours ago, oldest first. */
async function changes(
  id: string,
  ...all: readonly (readonly [number, string | null, string, string?])[]
): Promise<void> {
  for (const [hours, from, to, kind = 'k'] of all) {
    await ground.append({ subjectId: id, from, to, kind });
    await db.execute('UPDATE status_change SET at = NOW(3) - INTERVAL ? SECOND WHERE seq IS NULL', [hours * 3_600]);
    await ground.sequence();
  }
}

const subject = (status = 'ONLINE', createdAt = longAgo): Subject => ({ id: newUuid(), status, createdAt });

test('each subject of a page has its own uptime, and a page costs three statements', async () => {
  const [down, up, fresh] = [subject('ERROR'), subject(), subject('ONLINE', new Date(Date.now() - 2 * hourMs))];
  await changes(down.id, [5, 'ONLINE', 'ERROR'], [4, 'X', 'Y', 'other']);
  await changes(up.id, [30, 'ERROR', 'ONLINE']);
  let asked = 0;
  const counting = {
    query: (...args: Parameters<Database['query']>) => {
      asked += 1;
      return db.query(...args);
    },
    execute: db.execute.bind(db),
  } as unknown as Database;
  const rest = Array.from({ length: 97 }, () => subject());
  const [first, second, third] = await uptimes([down, up, fresh, ...rest], 'DAY', counting);
  expect(asked).toBe(3);
  expect(first).toMatchObject({ downCount: 1, knownPercent: 100 });
  expect(first?.slots.at(-1)).toMatchObject({ state: 'DOWN', upPercent: 0 });
  expect(second).toMatchObject({ upPercent: 100, downCount: 0, knownPercent: 100 });
  expect(third).toMatchObject({ upPercent: 100, knownSince: fresh.createdAt });
});

test('the time that retention removed is unknown', async () => {
  const member = subject();
  await changes(newUuid(), [20, 'A', 'B'], [6, 'A', 'B']);
  await changes(member.id, [3, 'ERROR', 'ONLINE']);
  await db.execute('DELETE FROM status_change WHERE seq = 1');
  await db.execute('UPDATE status_sequencer SET oldest_seq = 2');
  const [uptime] = await uptimes([member]);
  expect(uptime?.upPercent).toBeCloseTo(50, 0);
  expect(Date.now() - (uptime?.knownSince?.getTime() ?? 0)).toBeGreaterThan(5.9 * hourMs);
  expect(Date.now() - (uptime?.knownSince?.getTime() ?? 0)).toBeLessThan(6.1 * hourMs);
});

test('a subject that changes constantly is known for as long as its newest changes', async () => {
  const member = subject();
  const flaps = Array.from({ length: mostEvents + 20 }, (_, index) => ({
    ...{ subjectId: member.id, kind: 'k' },
    ...(index % 2 === 0 ? { from: 'ONLINE', to: 'ERROR' } : { from: 'ERROR', to: 'ONLINE' }),
  }));
  await ground.append(...flaps);
  await ground.sequence();
  await db.execute('UPDATE status_change SET at = NOW(3) - INTERVAL (? - seq) MINUTE', [flaps.length]);
  const [uptime] = await uptimes([member], 'MONTH');
  expect(uptime?.downCount).toBe(mostEvents / 2);
  expect(uptime?.upPercent).toBeCloseTo(50, 0);
  expect(uptime?.knownPercent).toBeLessThan(1);
});

test('while no process of the role ran, nothing is known', async () => {
  const member = subject('ERROR');
  await changes(member.id, [20, 'ONLINE', 'ERROR']);
  const spans: readonly (readonly [string, number, number])[] = [
    ['worker', 40, 10],
    ['worker', 2, 0],
    ['gslb', 40, 0],
  ];
  for (const [role, from, until] of spans)
    await db.execute('INSERT INTO running_time VALUES (?, NOW(3) - INTERVAL ? SECOND, NOW(3) - INTERVAL ? SECOND)', [
      role,
      from * 3_600,
      until * 3_600,
    ]);
  const [uptime] = await uptimes([member]);
  expect(uptime?.slots.filter(({ state }) => state === 'UNKNOWN').length).toBeGreaterThanOrEqual(7);
  expect(uptime?.slots.at(-1)?.state).toBe('DOWN');
});

test('nothing is recorded while nothing judges', async () => {
  let isJudging = false;
  const running = new RunningTime({ db, log: ground.log, roles: ['r'], isJudging: async () => isJudging });
  await running.beat();
  expect(await db.query('SELECT role FROM running_time')).toEqual([]);
  isJudging = true;
  await running.beat();
  expect(await db.query('SELECT role FROM running_time')).toEqual([{ role: 'r' }]);
});

test('beats lengthen one row, and a silence or a step of the clock begins another', async () => {
  const one = new RunningTime({ db, log: ground.log, roles: ['worker'] });
  const other = new RunningTime({ db, log: ground.log, roles: ['worker'] });
  const rows = () => db.query<{ role: string }>('SELECT role FROM running_time ORDER BY from_at');
  await one.beat();
  await other.beat();
  expect(await rows()).toHaveLength(1);
  await db.execute(
    'UPDATE running_time SET from_at = from_at - INTERVAL 1 HOUR, until_at = until_at - INTERVAL 5 MINUTE',
  );
  await other.beat();
  expect(await rows()).toHaveLength(2);
  // Rows begin in different milliseconds.
  await db.execute(
    'UPDATE running_time SET from_at = from_at - INTERVAL 1 SECOND, until_at = until_at + INTERVAL 1 DAY',
  );
  await one.beat();
  expect(await rows()).toHaveLength(3);
  await db.execute('UPDATE running_time SET from_at = from_at - INTERVAL 60 DAY, until_at = NOW(3) - INTERVAL 50 DAY');
  await one.beat();
  expect(await rows()).toHaveLength(1);
});

describe('the hours of all subjects of a kind', () => {
  const hoursOf = async (...subjects: readonly Subject[]) => {
    const rows = subjects
      .map(() => 'SELECT ? AS id, ? AS status, CAST(? AS DATETIME(3)) AS createdAt')
      .join(' UNION ALL ');
    const values = subjects.flatMap(({ id, status, createdAt }) => [id, status, createdAt]);
    const sort = { subjectType: 'T', kind: 'k', judge: 'worker', rows, values };
    return (await readHours(db, [sort])).map(({ state }) => state);
  };
  const ago = (hours: number) => new Date(Date.now() - hours * hourMs);
  const last = (states: readonly string[], count: number) => states.slice(-count);

  test('are unknown before the first subject was created and had a status', async () => {
    const young = subject('ONLINE', ago(1 / 60));
    const states = await hoursOf(young);
    expect(states.slice(0, 22)).toEqual(Array(22).fill('UNKNOWN'));
    expect(states.at(-1)).toBe('UP');
    // It was added two hours before its first report. Its first status does not apply to the time before.
    const late = subject('PRESENT', ago(4));
    await changes(late.id, [2, 'ABSENT', 'PRESENT']);
    expect(last(await hoursOf(late), 5)).toEqual(['UNKNOWN', 'UNKNOWN', 'UP', 'UP', 'UP']);
  });

  test('show one subject that flapped among many that did not', async () => {
    const flapped = subject('PRESENT');
    await changes(flapped.id, [30, 'ABSENT', 'PRESENT'], [3, 'PRESENT', 'ABSENT'], [2.99, 'ABSENT', 'PRESENT']);
    const degraded = subject('DEGRADED');
    await changes(degraded.id, [0, 'ONLINE', 'DEGRADED']);
    const states = await hoursOf(flapped, degraded, ...Array.from({ length: 20 }, () => subject()));
    expect(states.filter((state) => state === 'DOWN').length).toBeGreaterThan(0);
    expect(last(states, 4).filter((state) => state === 'DOWN').length).toBeGreaterThan(0);
    expect(states.at(-1)).toBe('DEGRADED');
    expect(states[0]).toBe('UP');
  });

  test('are unknown while no process of the role ran', async () => {
    await db.execute(
      `INSERT INTO running_time VALUES ('worker', NOW(3) - INTERVAL 40 HOUR, NOW(3) - INTERVAL 20 HOUR),
        ('worker', NOW(3) - INTERVAL 1 MINUTE, NOW(3))`,
    );
    const states = await hoursOf(subject());
    expect(states.slice(5, 22)).toEqual(Array(17).fill('UNKNOWN'));
    expect([states[0], states.at(-1)]).toEqual(['UP', 'UP']);
  });

  test('no hour is called good if more subjects changed than are read', async () => {
    const many = Array.from({ length: mostChanged + 1 }, () => subject());
    await ground.append(...many.map(({ id }) => ({ subjectId: id, kind: 'k', from: 'ERROR', to: 'ONLINE' })));
    await ground.sequence();
    const states = await hoursOf(...many);
    expect(states).not.toContain('UP');
    expect(states[0]).toBe('DOWN');
  });
});
