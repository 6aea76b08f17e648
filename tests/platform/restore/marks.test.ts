// Marks of the database. If a machine or a process remembers more than the database has, the database was set back.
import { beforeEach, expect, test } from '@jest/globals';
import { readHistory } from '../../../platform/events/database-history.ts';
import type { LinkMarks } from '../../../platform/link/link-server.ts';
import { databaseMarks } from '../../../platform/restore/marks.ts';
import { newUuid } from '../../../platform/values/ids.ts';
import { forTest } from '../../support/jest/shared.ts';
import { TestContext } from '../../support/product/test-context.ts';

const machine = { id: newUuid(), role: 'lbhost', name: 'host-1' };
const ground = forTest(() => TestContext.open());
let marks: LinkMarks;

beforeEach(async () => {
  marks = databaseMarks(ground);
});

const setTo = (nextSeq: number) => ground.db.execute('UPDATE status_sequencer SET next_seq = ?', [nextSeq]);
const history = () => readHistory(ground.db);

test('a machine that remembers more events than exist begins a new history, once', async () => {
  await setTo(500);
  const remembered = await marks.read();
  expect(remembered.position).toEqual({ history: await history(), number: 499 });
  await setTo(300);
  // Another process, which has not seen the events itself.
  const other = databaseMarks(ground);
  const before = await history();
  await Promise.all([other.check(machine, remembered), databaseMarks(ground).check(machine, remembered)]);
  const after = await history();
  expect(after).not.toBe(before);
  await other.check(machine, remembered);
  expect(await history()).toBe(after);
  expect(await ground.db.query('SELECT lossy FROM db_timeline ORDER BY epoch')).toEqual([{ lossy: 0 }, { lossy: 1 }]);
});

test('a process that has read further itself notices the set-back at its next read', async () => {
  await setTo(500);
  const before = (await marks.read()).position;
  await setTo(499);
  await marks.read();
  expect(await history()).not.toBe(before.history);
});

test('a mark that this installation did not sign proves nothing', async () => {
  await setTo(500);
  const { position, proof } = await marks.read();
  const before = await history();
  for (const mark of [
    { position: { ...position, number: 900 }, proof },
    { position: { ...position, number: 900 }, proof: 'k1:00' },
    { position: { ...position, number: 900 }, proof: 'other:00' },
  ])
    await marks.check(machine, mark);
  expect(await history()).toBe(before);
});

test('a machine that remembers exactly as much, less, or another history proves nothing', async () => {
  await setTo(500);
  const mark = await marks.read();
  const before = await history();
  await marks.check(machine, mark);
  await setTo(900);
  await marks.check(machine, mark);
  expect(await history()).toBe(before);
  await ground.db.execute('INSERT INTO db_timeline (epoch, lossy) VALUES (2, 1)');
  await setTo(100);
  const now = await history();
  await marks.check(machine, mark);
  expect(await history()).toBe(now);
});
