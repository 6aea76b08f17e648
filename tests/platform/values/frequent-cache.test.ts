import { expect, test } from '@jest/globals';
import { FrequentCache } from '../../../platform/values/frequent-cache.ts';

function cache(maxBytes = 1_000) {
  const clock = { nowMs: 0 };
  return { clock, values: new FrequentCache<string>({ maxBytes, bytesOf: () => 100, now: () => clock.nowMs }) };
}

/** New values, each used at once, several times. */
function flood(values: FrequentCache<string>, count: number): void {
  for (let number = 0; number < count; number += 1) {
    values.set(`flood ${number}`, 'new');
    for (let use = 0; use < 3; use += 1) values.get(`flood ${number}`);
  }
}

test('a flood of new values evicts none that was used again later, and all others', () => {
  const { clock, values } = cache();
  values.set('frequent', 'kept');
  values.set('rare', 'lost');
  clock.nowMs = 1_000;
  expect(values.get('frequent')).toBe('kept');
  flood(values, 10_000);
  expect([values.get('frequent'), values.get('rare')]).toEqual(['kept', undefined]);
  expect(values.get('flood 9999')).toBe('new');
});

test('what is protected yields to what is used more recently, and has another chance', () => {
  const { clock, values } = cache();
  const names = ['a', 'b', 'c', 'd', 'e'];
  for (const name of [...names, 'f']) {
    values.set(name, name);
    clock.nowMs += 1_000;
    expect(values.get(name)).toBe(name);
  }
  // Five have room; the oldest one is on probation.
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

test('a value of more than half of the bytes is not kept, and evicts nothing', () => {
  const { values } = cache(150);
  values.set('large', 'large');
  expect(values.get('large')).toBeUndefined();
});
