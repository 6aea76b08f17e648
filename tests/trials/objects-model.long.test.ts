// The model of object storage's registers: some of its schedules, each of its traps, and the judge of histories.
import { expect, test } from '@jest/globals';
import type { Entry } from '../../trials/objects/history.ts';
import { applyStep } from '../../trials/objects-model/history.ts';
import { isLinearizable } from '../../trials/objects-model/linearizable.ts';
import { traps } from '../../trials/objects-model/traps.ts';
import { productGuards } from '../../trials/objects-model/world.ts';
import { caughtBy, emphasisOf, holds } from '../../trials/objects-model.ts';
import { at, never, put, read } from './support/histories.ts';

const seed = Number(process.env.SEED ?? 1);

test(`the answers to clients are consistent (seed ${seed})`, async () => {
  const wrong: number[] = [];
  for (let at = seed; at < seed + 1_000; at += 1)
    if (!(await holds(at, { guards: productGuards, emphasis: emphasisOf(at) }))) wrong.push(at);
  expect(wrong).toEqual([]);
});

test.each(Object.entries(traps))('the model misses a guard: %s', async (_what, trap) => {
  expect(await caughtBy(trap, trap.seed, 20_000)).toBeDefined();
});

test.each<[string, readonly Entry[]]>([
  ['one after the other', [at(0, 1, put('1')), at(2, 3, read('1')), at(4, 5, { kind: 'delete' }), at(6, 7, read())]],
  ['two at once, in either order', [at(0, 9, put('1')), at(0, 9, put('2')), at(10, 11, read('1'))]],
  ['a write of unknown fate that comes late', [at(0, never, put('1')), at(2, 3, read()), at(9, 10, read('1'))]],
  ['a write of unknown fate that never comes', [at(0, never, put('1')), at(20, 30, read())]],
  [
    'one of two creates',
    [at(0, 9, { kind: 'create', value: '1', did: true }), at(1, 8, { kind: 'create', value: '2', did: false })],
  ],
])('a possible history: %s', (_what, history) => {
  expect(isLinearizable(history, '', applyStep)).toBe(true);
});

test.each<[string, readonly Entry[]]>([
  ['a read that misses what was acknowledged', [at(0, 1, put('1')), at(2, 3, read())]],
  ['a read that goes back', [at(0, 9, put('1')), at(1, 2, read('1')), at(3, 4, read())]],
  [
    'a value that comes back',
    [at(0, 1, put('1')), at(2, 3, { kind: 'delete' }), at(4, 5, read()), at(6, 7, read('1'))],
  ],
  [
    'a write that takes effect twice',
    [at(0, never, put('1')), at(2, 3, read('1')), at(4, 5, put('2')), at(6, 7, read('1'))],
  ],
  [
    'two creates at once',
    [at(0, 9, { kind: 'create', value: '1', did: true }), at(1, 8, { kind: 'create', value: '2', did: true })],
  ],
  ['a value of nobody', [at(0, 1, read('1'))]],
])('an impossible history: %s', (_what, history) => {
  expect(isLinearizable(history, '', applyStep)).toBe(false);
});
