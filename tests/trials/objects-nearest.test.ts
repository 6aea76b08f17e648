// The judge of answers from a single cluster, compared with a judge that tries every order on random histories, and
// with known right and wrong answers.
import { expect, test } from '@jest/globals';
import type { Entry } from '../../trials/objects/history.ts';
import { symptomsOfNearest } from '../../trials/objects/symptoms.ts';
import { applyStep, shownBy, writes } from '../../trials/objects-model/history.ts';
import { isLinearizable } from '../../trials/objects-model/linearizable.ts';
import { type NearestRead, untrue } from '../../trials/objects-model/nearest.ts';
import { type Random, seededRandom } from '../../trials/random.ts';
import { at, never, put, randomHistory, read } from './support/histories.ts';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));

/** Some written value or nothing, of some age. */
function randomRead(random: Random, history: readonly Entry[]): NearestRead {
  const ends = history.flatMap(({ called, answered }) => (answered === never ? [called] : [called, answered]));
  const asOf = random.next() * (Math.max(...ends) + 2);
  const values = history.flatMap(({ step }) => writes(step) ?? []);
  return { asOf, answered: asOf + random.next() * 5, value: random.pick(['', ...values]) };
}

/**
 * True if some order fits all others and has the value at that moment, or later when an operation called before the
 * answer may have taken effect.
 */
function couldBe(history: readonly Entry[], { asOf = 0, answered, value }: NearestRead): boolean {
  const writers = history.filter(({ called, step }) => writes(step) === value && called <= answered);
  if (value !== '') {
    const [writer] = writers;
    if (writer === undefined) return false;
    const isMet = history.some(
      ({ step }) => (step.kind === 'replace' ? step.did && step.of : 'got' in step && step.got) === value,
    );
    // Possibly no majority ever had it.
    if (writer.answered === never && !isMet) return true;
  }
  const ends = history.map((entry) => (entry.answered === never ? entry.called : entry.answered));
  const isOpen = writers.some((entry) => entry.answered === never);
  const end = Math.max(asOf, answered, ...(isOpen ? ends : writers.map((entry) => entry.answered))) + 1e-6;
  return isLinearizable([...history, at(asOf, end, read(value === '' ? undefined : value))], '', applyStep);
}

test(`every violation that it finds is wrong in every order, and it finds nearly all violations (seed ${seed})`, () => {
  const random = seededRandom(seed);
  let [right, found, missed] = [0, 0, 0];
  for (let round = 0; round < 6_000; round += 1) {
    const history = randomHistory(random, { clients: random.integer(1, 4), steps: random.integer(1, 11) });
    if (history.length === 0) continue;
    const one = randomRead(random, history);
    const wrong = untrue(one, history.flatMap(shownBy));
    const could = couldBe(history, one);
    if (could) expect([round, wrong]).toEqual([round, undefined]);
    if (could) right += 1;
    else if (wrong === undefined) missed += 1;
    else found += 1;
  }
  expect(Math.min(right, found)).toBeGreaterThan(500);
  // Violations that only several concurrent operations reveal together.
  expect(missed).toBeLessThan(found / 10);
});

const nearest = (asOf: number | undefined, answered: number, value = ''): NearestRead => ({ asOf, answered, value });
const deleted = { kind: 'delete' } as const;

test.each<[string, readonly Entry[], NearestRead]>([
  [
    'an older value, of before the newer one was acknowledged',
    [at(0, 1, put('1')), at(2, 5, put('2'))],
    nearest(4, 9, '1'),
  ],
  ['an older value of no age', [at(0, 1, put('1')), at(2, 3, put('2'))], nearest(undefined, 9, '1')],
  ['nothing, of before the write', [at(2, 3, put('1'))], nearest(1, 9)],
  ['nothing, after a deletion of unknown fate', [at(0, 1, put('1')), at(2, never, deleted)], nearest(5, 9)],
  [
    'a value of unknown fate that nobody met',
    [at(0, never, put('1')), at(2, 3, put('2')), at(4, 5, read('2'))],
    nearest(6, 7, '1'),
  ],
  ['a value before its writer gets the answer', [at(0, 9, put('1')), at(4, 5, read())], nearest(3, 4, '1')],
  ['one of two values of writes at once', [at(0, 5, put('1')), at(1, 4, put('2'))], nearest(6, 7, '1')],
  ['an older value than one before', [at(0, 1, put('1')), at(2, 9, put('2'))], nearest(3, 9, '1')],
])('possible: %s', (_what, history, one) => {
  expect(symptomsOfNearest(history, [one])).toEqual([]);
});

test.each<[string, string, readonly Entry[], NearestRead]>([
  ['stale', 'an older value', [at(0, 1, put('1')), at(2, 3, put('2'))], nearest(4, 9, '1')],
  [
    'stale',
    'a value that a later reader no longer saw',
    [at(0, 1, put('1')), at(0, 9, put('2')), at(2, 3, read('2'))],
    nearest(4, 9, '1'),
  ],
  ['stale', 'a value of nobody', [at(0, 1, put('1'))], nearest(undefined, 9, '2')],
  ['stale', 'a value from before it was written', [at(5, 6, put('1'))], nearest(undefined, 4, '1')],
  [
    'stale',
    'a value whose condition was refused',
    [at(0, 1, put('1')), at(2, 3, { kind: 'create', value: '2', did: false })],
    nearest(1, 9, '2'),
  ],
  ['lost', 'nothing where something is', [at(0, 1, put('1'))], nearest(2, 9)],
  ['lost', 'nothing where a reader had met something', [at(0, never, put('1')), at(2, 3, read('1'))], nearest(4, 9)],
  [
    'lost',
    'nothing after a write that came after the deletion',
    [at(0, 1, deleted), at(2, 3, put('1'))],
    nearest(4, 9),
  ],
  ['resurrected', 'a deleted value', [at(0, 1, put('1')), at(2, 3, deleted)], nearest(4, 9, '1')],
  [
    'resurrected',
    'a value of which a reader saw that it was gone',
    [at(0, 1, put('1')), at(2, never, deleted), at(3, 4, read())],
    nearest(5, 9, '1'),
  ],
])('impossible: %s, %s', (symptom, _what, history, one) => {
  expect(symptomsOfNearest(history, [one]).map((found) => found.symptom)).toEqual([symptom]);
});
