// Messages between a checker and the conductor.
import { expect, test } from '@jest/globals';
import { newUuid } from '../../../../platform/values/ids.ts';
import {
  checkerBatch,
  checkerFacts,
  mostVerdicts,
  targetId,
  targetKey,
  targetNamed,
  targetOfKey,
} from '../../../../subgraphs/gslb/wire/checker-wire.ts';

test('only the key of a target identifies it', () => {
  const target = { member: newUuid(), monitor: newUuid() };
  expect(targetOfKey(targetKey(target))).toBe(targetId(target));
  expect(targetNamed(targetId(target))).toEqual(target);
  expect(targetOfKey('grant')).toBeUndefined();
  for (const id of ['', target.member, `${target.member}/x`, `${targetId(target)}/x`])
    expect(targetNamed(id)).toBeUndefined();
});

test('a batch has bounds', () => {
  const verdict = { target: 't', verdict: 'DOWN', agoMs: 3, latencyMs: null, message: 'refused' };
  const batch = {
    ...{
      vantagePoint: 'eu',
      history: newUuid(),
      incarnation: 1,
      epoch: 2,
      number: 1,
      stampMs: 7,
      abstains: false,
      past: [],
    },
    load: { targets: 1, lateMs: 0, dropped: 0, abstains: null },
  };
  const isTaken = (change: object) => checkerBatch.safeParse({ ...batch, verdicts: [verdict], ...change }).success;
  expect(isTaken({})).toBe(true);
  expect(isTaken({ verdicts: Array.from({ length: mostVerdicts + 1 }, () => verdict) })).toBe(false);
  expect(isTaken({ number: 0 })).toBe(false);
  expect(isTaken({ verdicts: [{ ...verdict, message: 'x'.repeat(256) }] })).toBe(false);
  expect(isTaken({ verdicts: [{ ...verdict, verdict: 'NONE' }] })).toBe(false);
});

test("the schemas of a checker's own plugins have bounds, and no references", () => {
  const plugin = (parameters: object, name = 'OWN') => ({ name, needsPort: false, parameters });
  const isTaken = (...own: object[]) =>
    checkerFacts.safeParse({ vantagePoint: 'eu', version: '1', plugins: [], own }).success;
  const long = (length: number) => ({ type: 'object', description: 'x'.repeat(length) });
  expect(isTaken(plugin({ type: 'object' }))).toBe(true);
  expect(isTaken(plugin(long(16_300)))).toBe(true);
  expect(isTaken(plugin(long(16_384)))).toBe(false);
  expect(isTaken(...Array.from({ length: 9 }, (_, at) => plugin(long(16_000), `OWN${at}`)))).toBe(false);
  const doubled = Object.fromEntries(
    Array.from({ length: 40 }, (_, at) => [at, { allOf: Array(2).fill({ $ref: `#/definitions/${at + 1}` }) }]),
  );
  expect(isTaken(plugin({ $ref: '#/definitions/0', definitions: { ...doubled, 40: {} } }))).toBe(false);
});
