// The watch reads the oldest signals of each project, however many are active. One project's signals cost other
// projects nothing.
import { beforeAll, expect, test } from '@jest/globals';
import type { Transaction } from '../../../../platform/database/database.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import {
  forgetProject,
  signalsOf,
  signalsOfProject,
} from '../../../../subgraphs/system/control/stores/alert-watch-store.ts';
import { type AlertCondition, mostOpenAlerts } from '../../../../subgraphs/system/spec/alert-conditions.ts';
import { forFile } from '../../../support/jest/shared.ts';
import { systemBench } from '../support/system-bench.ts';

const bench = forFile(() => systemBench());
const [big, small] = [newUuid(), newUuid()];
/** Signals that no query here may read. */
const others = 30_000;

beforeAll(async () => {
  await fill('NAME_DEGRADED', big, 20_000);
  await fill('OUTCOME_UNKNOWN', big, others);
  for (const project of [small, null, ...Array.from({ length: 120 }, () => newUuid())])
    await fill('NAME_DEGRADED', project, 5);
  await bench.db.query('ANALYZE TABLE alert_signal');
});

/** Pairs of signals have the same time. */
async function fill(condition: AlertCondition, projectId: string | null, count: number): Promise<void> {
  await bench.db.execute(
    `INSERT INTO alert_signal (condition_name, subject_type, subject_id, project_id, status, since_at, since_ms)
      SELECT ?, 'Gslb', UUID(), ?, 'OFFLINE', NOW(3), MOD(seq * 7919, ?) FROM seq_1_to_${count}`,
    [condition, projectId, Math.ceil(count / 2)],
  );
}

async function rowsRead<Result>(work: (tx: Transaction) => Promise<Result>) {
  return bench.db.transaction(async (tx) => {
    const soFar = async () => {
      const rows = await tx.query<{ Value: string }>("SHOW SESSION STATUS LIKE 'Handler_read%'");
      return rows.reduce((sum, { Value }) => sum + Number(Value), 0);
    };
    const before = await soFar();
    const result = await work(tx);
    return { result, read: (await soFar()) - before };
  });
}

test('only the oldest signals of each project are read', async () => {
  const { result, read } = await rowsRead((tx) => signalsOf(tx, ['NAME_DEGRADED', 'CIRCUIT_OPEN']));
  expect(result).toHaveLength(mostOpenAlerts + 122 * 5);
  // Twice, because the parts of the answer are gathered, plus a few for each project.
  expect(read).toBeLessThan(2 * result.length + 122 * 10);
  const all = await bench.db.query<{ id: string }>(
    `SELECT subject_id AS id FROM alert_signal WHERE condition_name = 'NAME_DEGRADED' AND project_id = ?
      ORDER BY since_ms, subject_id LIMIT ${mostOpenAlerts}`,
    [big],
  );
  expect(
    result
      .filter(({ projectId }) => projectId === big)
      .map(({ subjectId }) => subjectId)
      .sort(),
  ).toEqual(all.map(({ id }) => id).sort());
  expect(result.map(({ sinceMs }) => sinceMs)).toEqual(result.map(({ sinceMs }) => sinceMs).sort((a, b) => a - b));
  expect(result.filter(({ projectId }) => projectId === null)).toHaveLength(5);
});

test('the signals of one project are found, and forgotten, without those of others', async () => {
  const found = await rowsRead((tx) => signalsOfProject(tx, 'NAME_DEGRADED', small));
  expect(found.result).toHaveLength(5);
  expect(found.read).toBeLessThan(20);
  const forgotten = await rowsRead((tx) => forgetProject(tx, small));
  expect(forgotten.read).toBeLessThan(50);
  expect(await bench.db.query('SELECT 1 FROM alert_signal WHERE project_id = ?', [small])).toEqual([]);
});
