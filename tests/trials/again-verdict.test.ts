// The judge of calls on objects that exist already (`npm run trials -- relay-unknown --parts again`).
import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../subgraphs/relay/drivers/driver.ts';
import { type AgainEvidence, judgeAgain } from '../../trials/relay-unknown/again-verdict.ts';
import type { Execution, ObjectState } from '../../trials/relay-unknown/devices/objects.ts';
import type { JournalRow } from '../../trials/relay-unknown/evidence.ts';

const beganAtMs = Date.UTC(2026, 0, 1);
const [made, dropped, removed] = ['a', 'b', 'c'].map((letter) => `01900000-0000-7000-8000-00000000000${letter}`) as [
  string,
  string,
  string,
];
const at = (offsetMs: number) => beganAtMs + offsetMs;
const row = (id: string, name: string, sentMs: number, more: Partial<JournalRow> = {}): JournalRow => ({
  ...{
    id,
    name,
    key: 'cmp',
    backend: 'dev-0',
    mapping: undefined,
    objectKey: 'o',
    state: 'SUCCEEDED',
    errorCode: null,
  },
  ...{ settledBy: 'reply', owner: 'alive', sentAtMs: at(sentMs), deadlineAtMs: at(sentMs + 900) },
  ...{
    finishedAtMs: at(sentMs + 10),
    quietUntilMs: null,
    wireCall: name,
    arguments: '{"is":"1"}',
    wasUnknown: false,
    neverSent: false,
  },
  ...more,
});
const execution = (wire: string, receivedMs: number, appliedMs?: number): Execution => ({
  ...{ place: 'home', wire, receivedAtMs: at(receivedMs) },
  appliedAtMs: appliedMs === undefined ? undefined : at(appliedMs),
});
const is = ({ is: state }: JsonObject): ObjectState => (state === undefined ? null : String(state));
const device = {
  wireOf: (wire: string) => wire,
  leaves: (name: string, args: JsonObject) => (name === 'remove' ? null : is(args)),
  wanted: is,
};

/**
 * An object is created, then set to the same values by a call that is dropped and arrives late, and removed when that
 * call is settled.
 */
function evidence(): AgainEvidence {
  return {
    rows: [
      row(made, 'create', 0),
      row(dropped, 'set', 100, { wasUnknown: true, settledBy: 'probe', finishedAtMs: at(4_000) }),
      row(removed, 'remove', 4_100),
    ],
    mappings: [{ backend: 'dev-0', objectKey: 'o', state: 'DELETED', desired: null }],
    claims: 0,
    broken: [],
    deviceOf: () => device,
    executions: [execution('create', 2, 4), execution('set', 102, 1_500), execution('remove', 4_102, 4_105)],
    cutShort: [],
    objects: new Map([['dev-0 o', { byHand: [], atEnd: null }]]),
    windows: [],
  };
}
const clean = {
  ...{ repeated: 0, falseUnknown: 0, settledWrong: 0, unsettled: 0, wrongMappings: 0, resurrected: 0 },
  ...{ claimsLeft: 0, invariants: 0, sentTooLate: 0 },
};
const changed = (id: string, more: Partial<JournalRow>, from = evidence()): AgainEvidence => ({
  ...from,
  rows: from.rows.map((each) => (each.id === id ? { ...each, ...more } : each)),
});
const objectIs = (atEnd: ObjectState, from = evidence()): AgainEvidence => ({
  ...from,
  objects: new Map([['dev-0 o', { byHand: [], atEnd }]]),
});
const executed = (...executions: Execution[]): AgainEvidence => ({ ...evidence(), executions });

describe('the judge of calls on objects that exist already', () => {
  test('finds no fault in correct evidence', () => {
    expect(judgeAgain(evidence())).toMatchObject({ ...clean, operations: 3, wasUnknown: 1, findings: [] });
  });

  test('resurrected: a call that was settled took effect after its object was removed', () => {
    const settledEarly = changed(
      dropped,
      { finishedAtMs: at(200) },
      executed(execution('create', 2, 4), execution('set', 102, 4_300), execution('remove', 4_102, 4_105)),
    );
    expect(judgeAgain(objectIs('1', settledEarly))).toMatchObject({ ...clean, wrongMappings: 1, resurrected: 1 });
    // The object was there for another reason.
    expect(judgeAgain(objectIs('1'))).toMatchObject({ ...clean, wrongMappings: 1, resurrected: 0 });
  });

  test('an object whose device was later than allowed is not judged', () => {
    const late = changed(dropped, { quietUntilMs: at(1_400), state: 'FAILED' });
    expect(judgeAgain(objectIs('1', late))).toMatchObject({ ...clean, notJudged: 1 });
    expect(judgeAgain(changed(dropped, { quietUntilMs: at(1_600) }))).toMatchObject({ ...clean, notJudged: 0 });
  });

  test('wrongMappings: live, and the object is gone or has other values; unverified with nothing under way', () => {
    const live = (state: string, desired: string, atEnd: ObjectState) =>
      judgeAgain(objectIs(atEnd, { ...evidence(), mappings: [{ backend: 'dev-0', objectKey: 'o', state, desired }] }))
        .wrongMappings;
    expect(live('ACTIVE', '{"is":"1"}', '1')).toBe(0);
    expect(live('ACTIVE', '{"is":"1"}', null)).toBe(1);
    expect(live('ACTIVE', '{"is":"1"}', '2')).toBe(1);
    expect(live('UNVERIFIED', '{"is":"1"}', '1')).toBe(1);
  });

  test('an object that was never mapped may be on the device', () => {
    expect(judgeAgain(objectIs('1', { ...evidence(), mappings: [] }))).toMatchObject(clean);
  });

  test('settledWrong: reported as done although it never was, or the opposite', () => {
    const never = executed(execution('create', 2, 4), execution('set', 102), execution('remove', 4_102, 4_105));
    // The object had the call's value the whole time, and a read proves only this.
    expect(judgeAgain(never)).toMatchObject(clean);
    expect(judgeAgain(changed(dropped, { arguments: '{"is":"2"}' }, never))).toMatchObject({ settledWrong: 1 });
    expect(judgeAgain(changed(dropped, { settledBy: 'reply' }, never))).toMatchObject({ settledWrong: 1 });
    expect(judgeAgain(changed(dropped, { state: 'FAILED' }))).toMatchObject({ settledWrong: 1 });
  });

  test('repeated: the device got one call twice; two calls with the same text are not one', () => {
    const twice = [execution('create', 2, 4), execution('set', 102, 105), execution('set', 110, 120)];
    expect(judgeAgain(executed(...twice, execution('remove', 4_102, 4_105)))).toMatchObject({ repeated: 1 });
    const second = row('01900000-0000-7000-8000-00000000000d', 'set', 108);
    const both = executed(...twice, execution('remove', 4_102, 4_105));
    expect(judgeAgain({ ...both, rows: [...both.rows, second] })).toMatchObject({ repeated: 0 });
  });

  test('falseUnknown: the call never reached the device; unsettled: any state that is not final', () => {
    const unseen = executed(execution('create', 2, 4), execution('remove', 4_102, 4_105));
    expect(judgeAgain(unseen)).toMatchObject({ ...clean, falseUnknown: 1 });
    expect(judgeAgain(changed(dropped, { state: 'UNKNOWN' }))).toMatchObject({ ...clean, unsettled: 1 });
  });

  test('cutShort: the device got only the beginning of the call, once and in time', () => {
    const unseen = executed(execution('create', 2, 4), execution('remove', 4_102, 4_105));
    const judged = (wireBegins: string, offsetMs: number, from: AgainEvidence = unseen) =>
      judgeAgain({ ...from, cutShort: [{ wireBegins, atMs: at(offsetMs) }] });
    expect(judged('se', 900)).toMatchObject({ ...clean, cutShort: 1 });
    expect(judged('other', 900)).toMatchObject({ falseUnknown: 1, cutShort: 0 });
    expect(judged('se', 50)).toMatchObject({ falseUnknown: 1, cutShort: 0 });
    const quiet = changed(dropped, { quietUntilMs: at(3_000) }, unseen);
    expect(judged('se', 3_100, quiet)).toMatchObject({ falseUnknown: 1, cutShort: 0 });
    const second = row('01900000-0000-7000-8000-00000000000d', 'set', 200, { wasUnknown: true, settledBy: 'probe' });
    const both = { ...unseen, rows: [...unseen.rows, second] };
    expect(judged('se', 900, both)).toMatchObject({ falseUnknown: 1, cutShort: 1 });
    // A call that was carried out needs no excuse.
    expect(judged('se', 900, evidence())).toMatchObject({ ...clean, cutShort: 0 });
  });

  test('sentTooLate: to a disabled backend, or to an address that it no longer has', () => {
    const during = (change: 'disable' | 'move', fromMs: number, untilMs: number) =>
      judgeAgain({
        ...evidence(),
        windows: [
          {
            ...{ backend: 'dev-0', change, askedAtMs: at(fromMs - 20), fromMs: at(fromMs) },
            ...{ untilMs: at(untilMs), backAtMs: at(untilMs + 20) },
          },
        ],
      }).sentTooLate;
    for (const change of ['disable', 'move'] as const) {
      expect(during(change, 50, 200)).toBe(1);
      // Before the change was acknowledged, and after the change back was requested.
      expect(during(change, 110, 200)).toBe(0);
      expect(during(change, 50, 90)).toBe(0);
    }
    const away = (fromMs: number) => ({
      ...executed(
        { ...execution('set', 102, 105), place: 'away' },
        execution('create', 2, 4),
        execution('remove', 4_102, 4_105),
      ),
      windows: [
        {
          ...{ backend: 'dev-0', change: 'move' as const, askedAtMs: at(fromMs - 20), fromMs: at(fromMs) },
          ...{ untilMs: at(fromMs + 100), backAtMs: at(fromMs + 120) },
        },
      ],
    });
    expect(judgeAgain(away(50))).toMatchObject({ sentTooLate: 0 });
    expect(judgeAgain(away(500))).toMatchObject({ sentTooLate: 1 });
  });

  test('claims left and broken invariants are counted', () => {
    expect(judgeAgain({ ...evidence(), claims: 2, broken: ['not so: x'] })).toMatchObject({
      ...{ claimsLeft: 2, invariants: 1, findings: ['not so: x'] },
    });
  });
});
