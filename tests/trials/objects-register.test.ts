// The judge of histories of one name, compared with a judge that tries every order, on random histories that fit and on
// some that do not.
import { expect, test } from '@jest/globals';
import type { Entry } from '../../trials/objects/history.ts';
import { fitsRegister } from '../../trials/objects/register-check.ts';
import { symptomsOf } from '../../trials/objects/symptoms.ts';
import { applyStep } from '../../trials/objects-model/history.ts';
import { isLinearizable } from '../../trials/objects-model/linearizable.ts';
import { type Random, seededRandom } from '../../trials/random.ts';
import { at, never, put, randomHistory, read } from './support/histories.ts';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));

/** Replaces one answer with another. */
function changed(random: Random, history: readonly Entry[]): Entry[] {
  const at = random.integer(0, history.length - 1);
  const values = history.flatMap(({ step }) => ('value' in step ? [step.value] : []));
  return history.map((entry, index) => {
    if (index !== at) return entry;
    const { step } = entry;
    if (step.kind === 'read')
      return { ...entry, step: { ...step, got: random.pick(['', ...values, ...values]) || undefined } };
    return 'did' in step && step.did !== undefined ? { ...entry, step: { ...step, did: !step.did } } : entry;
  });
}

test(`the fast judge agrees with the slow one (seed ${seed})`, () => {
  const random = seededRandom(seed);
  let [fits, fitNot] = [0, 0];
  for (let round = 0; round < 3_000; round += 1) {
    const right = randomHistory(random, { clients: random.integer(1, 4), steps: random.integer(1, 11) });
    if (right.length === 0) continue;
    expect([round, fitsRegister(right)]).toEqual([round, 'FITS']);
    const other = changed(random, right);
    const slow = isLinearizable(other, '', applyStep);
    expect([round, fitsRegister(other)]).toEqual([round, slow ? 'FITS' : 'NOT']);
    if (slow) fits += 1;
    else fitNot += 1;
    // Every violation that it reports is real.
    if (slow) expect([round, symptomsOf(other)]).toEqual([round, []]);
  }
  expect(Math.min(fits, fitNot)).toBeGreaterThan(100);
});

test(`a name that eight clients use all the time is judged (seed ${seed})`, () => {
  const history = randomHistory(seededRandom(seed), { clients: 8, steps: 2_000 });
  expect(fitsRegister(history)).toBe('FITS');
});

test.each<[string, string, readonly Entry[]]>([
  ['lost', 'an acknowledged value is gone', [at(0, 1, put('1')), at(2, 3, read())]],
  ['stale', 'an older value', [at(0, 1, put('1')), at(2, 3, put('2')), at(4, 5, read('1'))]],
  [
    'stale',
    'an older value of unknown fate',
    [at(0, never, put('1')), at(2, 3, read('1')), at(4, 5, put('2')), at(6, 7, read('1'))],
  ],
  ['resurrected', 'a deleted value', [at(0, 1, put('1')), at(2, 3, { kind: 'delete' }), at(4, 5, read('1'))]],
])('%s: %s', (symptom, _what, history) => {
  expect(symptomsOf(history).map((found) => found.symptom)).toEqual([symptom]);
  expect(fitsRegister(history)).toBe('NOT');
});

test.each<[string, readonly Entry[]]>([
  ['one of unknown fate comes late', [at(0, never, put('1')), at(2, 3, read()), at(9, 10, read('1'))]],
  [
    'one of unknown fate that nobody meets explains a refusal',
    [at(0, never, put('1')), at(2, 3, { kind: 'create', value: '2', did: false }), at(4, 5, read())].slice(0, 2),
  ],
  [
    'a deletion of unknown fate',
    [at(0, 1, put('1')), at(2, never, { kind: 'delete' }), at(4, 5, read('1')), at(6, 7, read())],
  ],
  [
    'a write that a deletion of unknown fate hides before a create',
    [
      at(0, never, { kind: 'delete' }),
      at(1, 8, { kind: 'create', value: '1', did: true }),
      at(2, 9, put('2')),
      at(10, 11, read('1')),
    ],
  ],
  [
    'a write that a slower deletion hides before a create',
    [
      at(0, 20, { kind: 'delete' }),
      at(1, 8, { kind: 'create', value: '1', did: true }),
      at(2, 9, put('2')),
      at(10, 11, read('1')),
    ],
  ],
  ['two at once, in either order', [at(0, 9, put('1')), at(0, 9, put('2')), at(10, 11, read('1'))]],
])('it fits: %s', (_what, history) => {
  expect(symptomsOf(history)).toEqual([]);
  expect(fitsRegister(history)).toBe('FITS');
});

test.each<[string, readonly Entry[]]>([
  [
    'two creates at once',
    [at(0, 9, { kind: 'create', value: '1', did: true }), at(1, 8, { kind: 'create', value: '2', did: true })],
  ],
  [
    'one write of unknown fate that happened twice',
    [at(0, never, put('1')), at(2, 3, read('1')), at(4, 5, { kind: 'delete' }), at(6, 7, read('1'))],
  ],
  [
    'two deletions by one of unknown fate',
    [at(0, never, { kind: 'delete' }), at(2, 3, put('1')), at(4, 5, read()), at(6, 7, put('2')), at(8, 9, read())],
  ],
])('it does not fit: %s', (_what, history) => {
  expect(fitsRegister(history)).toBe('NOT');
});
