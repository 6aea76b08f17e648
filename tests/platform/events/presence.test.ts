// A machine that disappears and returns causes few events, and one when it is steady again.
import { beforeEach, expect, test } from '@jest/globals';
import type { EventKinds } from '../../../platform/events/kinds.ts';
import { absenceReason, appendPresence, CalmMachines, presenceValues } from '../../../platform/events/presence.ts';
import { newUuid } from '../../../platform/values/ids.ts';
import { forFile } from '../../support/jest/shared.ts';
import { TestContext } from '../../support/product/test-context.ts';

const kind = 'machine.presence';
const kinds: EventKinds = { [kind]: { subject: 'Machine', values: presenceValues, meaning: '' } };

const ground = forFile(() => TestContext.open());
let id: string;
let version: number;

beforeEach(() => {
  [id, version] = [newUuid(), 0];
});

/** The machine disappears and returns this often. */
async function flap(times: number): Promise<void> {
  for (let at = 0; at < times; at += 1)
    for (const to of ['ABSENT', 'PRESENT'] as const) {
      version += 1;
      const from = to === 'ABSENT' ? 'PRESENT' : 'ABSENT';
      const change = { kind, subjectId: id, subjectVersion: version, from, to, name: 'ap' } as const;
      await ground.db.transaction((tx) => appendPresence(tx, kinds, change, ground.wake));
    }
}

/** Moves all recorded times back by this much. */
const later = (minutes: number) =>
  ground.db.execute(
    `UPDATE presence_flap SET since_at = since_at - INTERVAL ${minutes} MINUTE, last_at = last_at - INTERVAL ${minutes} MINUTE`,
  );

const look = (exists = 'SELECT ?') => new CalmMachines({ ...ground, kinds, kind, exists }).look();

async function told(): Promise<readonly (readonly [from: string | null, to: string, reason: string])[]> {
  const rows = await ground.db.query<{ from: string | null; to: string; reason: string }>(
    'SELECT from_status AS `from`, to_status AS `to`, reason FROM status_change WHERE subject_id = ? ORDER BY id',
    [id],
  );
  return rows.map(({ from, to, reason }) => [from, to, reason.replace(/\d\d:\d\d UTC/, 'TIME')]);
}

test('40 changes give five single events and three FLAPPING events, then one that says the machine is steady', async () => {
  await flap(20);
  const events = await told();
  expect(events.slice(0, 6).map(([, to]) => to)).toEqual([
    ...['ABSENT', 'PRESENT', 'ABSENT', 'PRESENT', 'ABSENT', 'FLAPPING'],
  ]);
  expect(events.slice(5)).toEqual([
    ['ABSENT', 'FLAPPING', 'ap: came or went 6 times since TIME'],
    ['FLAPPING', 'FLAPPING', 'ap: came or went 12 times since TIME'],
    ['FLAPPING', 'FLAPPING', 'ap: came or went 24 times since TIME'],
  ]);
  await look();
  expect(await told()).toHaveLength(8);
  await later(6);
  await look();
  expect((await told()).at(-1)).toEqual([
    ...['FLAPPING', 'PRESENT', 'ap: steady for 5 minutes, after 40 changes since TIME'],
  ]);
  await flap(1);
  expect((await told()).slice(9)).toEqual([
    ['PRESENT', 'ABSENT', 'ap'],
    ['ABSENT', 'PRESENT', 'ap'],
  ]);
});

test('a machine that is away occasionally does not flap, and each change has its event', async () => {
  for (let hour = 0; hour < 5; hour += 1) {
    await flap(1);
    await later(60);
    await look();
  }
  expect((await told()).map(([, to]) => to)).toEqual(Array.from({ length: 5 }, () => ['ABSENT', 'PRESENT']).flat());
});

test('a machine that was removed while it flapped has no further event', async () => {
  await flap(3);
  const before = await told();
  expect(before.at(-1)?.[1]).toBe('FLAPPING');
  await later(6);
  await look('SELECT ? FROM DUAL WHERE false');
  expect(await told()).toEqual(before);
});

test('the reason of an absence begins with the name', () => {
  const at = new Date('2026-11-29T06:46:12Z');
  expect(absenceReason('us', at, 'checker lab-us')).toBe('us: no report of checker lab-us since 06:46 UTC');
  expect(absenceReason('ns1', null)).toBe('ns1: no report');
});
