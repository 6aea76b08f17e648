import { expect, test } from '@jest/globals';
import { FrequentCache } from '../../../platform/values/frequent-cache.ts';

function cache(maxBytes = 1_000) {
  const clock = { nowMs: 0 };
  return { clock, values: new FrequentCache<string>({ maxBytes, bytesOf: () => 100, now: () => clock.nowMs }) };
}

/** New values, each used immediately several times. */
function flood(values: FrequentCache<string>, count: number): void {
  for (let number = 0; number < count; number += 1) {
    values.set(`flood ${number}`, 'new');
    for (let use = 0; use < 3; use += 1) values.get(`flood ${number}`);
  }
}

test('a flood of new values evicts no value that was used again later, and evicts all others', () => {
  const { clock, values } = cache();
  values.set('frequent', 'kept');
  values.set('rare', 'lost');
  clock.nowMs = 1_000;
  expect(values.get('frequent')).toBe('kept');
  flood(values, 10_000);
  expect([values.get('frequent'), values.get('rare')]).toEqual(['kept', undefined]);
  expect(values.get('flood 9999')).toBe('new');
});

test('a protected value yields to more recently used ones, and gets another chance', () => {
  const { clock, values } = cache();
  const names = ['a', 'b', 'c', 'd', 'e'];
  for (const name of [...names, 'f']) {
    values.set(name, name);
    clock.nowMs += 1_000;
    expect(values.get(name)).toBe(name);
  }
  // There is room for five values, and the oldest one is on probation.
  expect([...names, 'f'].map((name) => values.get(name))).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  flood(values, 5);
  expect([...names, 'f'].map((name) => values.get(name))).toEqual([undefined, 'b', 'c', 'd', 'e', 'f']);
});

test('a value can be replaced and deleted, wherever it is', () => {
  const { clock, values } = cache();
  values.set('a', 'first');
  clock.nowMs = 1_000;
  values.get('a');
  values.set('a', 'second');
  expect(values.get('a')).toBe('second');
  values.delete('a');
  expect(values.get('a')).toBeUndefined();
});

test('a value of more than half of the bytes is not stored, and evicts nothing', () => {
  const { values } = cache(150);
  values.set('large', 'large');
  expect(values.get('large')).toBeUndefined();
});

/** New values, each used again by the user a second later. */
function patientFlood({ clock, values }: ReturnType<typeof cache>, count: number, user: string): void {
  for (let number = 0; number < count; number += 1) {
    values.set(`${user} ${number}`, 'new');
    clock.nowMs += 1_000;
    values.get(`${user} ${number}`, user);
  }
}

test('a user who sends each new value twice evicts none of the others, and only their own first ones', () => {
  const one = cache(8_000);
  const { clock, values } = one;
  const frequent = Array.from({ length: 25 }, (_, number) => `frequent ${number}`);
  for (const key of frequent) values.set(key, 'kept');
  clock.nowMs = 1_000;
  for (const key of frequent) expect(values.get(key, 'ann')).toBe('kept');
  // Ten of ann's values have room while she alone uses the cache. Then bob uses it.
  const shared = frequent.filter((key) => values.get(key, 'bob') === 'kept');
  expect(shared).toHaveLength(25);
  patientFlood(one, 1_000, 'eve');
  const kept = frequent.filter((key) => values.get(key, 'ann') !== undefined);
  expect(kept.length).toBeGreaterThanOrEqual(10);
  expect(values.get('eve 999', 'eve')).toBe('new');
  expect([...values.entries()].filter(([key]) => key.startsWith('eve')).length).toBeLessThanOrEqual(50);
});

test('values of two users are protected, whatever either of them sends', () => {
  const one = cache(8_000);
  const { clock, values } = one;
  values.set('shared', 'kept');
  clock.nowMs = 1_000;
  values.get('shared', 'ann');
  values.get('shared', 'bob');
  for (const user of ['ann', 'bob', 'eve']) patientFlood(one, 100, user);
  flood(values, 1_000);
  expect(values.get('shared', 'ann')).toBe('kept');
});

test('values that the installation itself uses count for no user', () => {
  const one = cache(8_000);
  const { clock, values } = one;
  const own = Array.from({ length: 20 }, (_, number) => `own ${number}`);
  for (const key of own) values.set(key, 'kept');
  clock.nowMs = 1_000;
  for (const key of own) values.get(key);
  patientFlood(one, 1_000, 'eve');
  flood(values, 1_000);
  for (const key of own) expect(values.get(key)).toBe('kept');
});
