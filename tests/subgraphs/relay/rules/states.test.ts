import { describe, expect, test } from '@jest/globals';
import {
  assertTransition,
  isEnded,
  isFinal,
  keepsClaim,
  type Mover,
  operationStates,
  transitions,
} from '../../../../subgraphs/relay/rules/states.ts';

const movers: readonly Mover[] = ['owner', 'recovery', 'probe', 'operator'];
const everything = [null, ...operationStates].flatMap((from) =>
  operationStates.flatMap((to) => movers.map((by) => ({ from, to, by }))),
);

describe('the transition table', () => {
  test.each(everything)('$from to $to by $by', ({ from, to, by }) => {
    const inTable = transitions.some((each) => each.from === from && each.to === to && each.by.includes(by));
    if (inTable) expect(() => assertTransition(from, to, by)).not.toThrow();
    else expect(() => assertTransition(from, to, by)).toThrow(/can't go from/);
  });

  test('a final state has no successor, and every other state can end', () => {
    for (const state of operationStates) {
      const next = transitions.filter((each) => each.from === state);
      if (isFinal(state)) expect(next).toEqual([]);
      else expect(next.length).toBeGreaterThan(0);
    }
  });

  test("only the owner records a device's answer, and only before anyone else does", () => {
    for (const { from, to, by } of everything)
      if (from === 'SENT' && to !== 'UNKNOWN' && by !== 'owner') expect(() => assertTransition(from, to, by)).toThrow();
  });

  test('a call that may still have an effect keeps its claim', () => {
    expect(operationStates.filter(keepsClaim)).toEqual(['SENT', 'ACCEPTED', 'UNKNOWN']);
    expect(operationStates.filter((state) => !isEnded(state))).toEqual(['PENDING', 'SENT']);
  });
});
