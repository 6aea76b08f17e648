// The steps one by one: kept members, their shares, and the members that change.
import { describe, expect, test } from '@jest/globals';
import { answer } from '../../../dns/policy/answer.ts';
import { clientAddress, prepareClientMap } from '../../../dns/policy/client.ts';
import { distanceKm, type Vector, vectorOf } from '../../../dns/policy/globe.ts';
import type { MemberPlan, PolicyStep } from '../../../dns/policy/plan.ts';
import { prepareName } from '../../../dns/policy/prepare.ts';
import { presetSteps } from '../../../dns/policy/presets.ts';
import { seededRandom } from '../../../trials/random.ts';
import { clientMap, member, places, plan, worldGeo } from './plans.ts';

const maps = new Map([['map', prepareClientMap(clientMap)]]);
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e6));
const berlin = member('m1', { region: 'eu', place: places.berlin ?? null });
const paris = member('m2', { region: 'eu', place: places.paris ?? null });
const boston = member('m3', { region: 'us', place: places.boston ?? null });
const nowhere = member('m4');

function chooser(members: readonly MemberPlan[], steps: readonly PolicyStep[]) {
  const name = prepareName(plan(members, steps), maps);
  const { next } = seededRandom(seed);
  return (client = '203.0.113.1') =>
    answer(name, { type: 'A', client: clientAddress(client), draw: next, geo: worldGeo }).records.map(
      ({ memberId }) => memberId ?? '',
    );
}

test('GEO uses the first criterion that finds a member, and keeps all if none does', () => {
  const choose = chooser(
    [berlin, paris, boston, nowhere],
    [
      { step: 'GEO', by: ['CIDR', 'COUNTRY', 'CONTINENT'] },
      { step: 'FIRST', count: 9 },
    ],
  );
  expect(choose('10.1.0.1')).toEqual(['m1', 'm2']);
  expect(choose('10.2.0.1')).toEqual(['m3']);
  // No member is in the client's region ap.
  expect(choose('10.2.3.1')).toEqual(['m1', 'm2', 'm3', 'm4']);
  expect(choose('90.0.0.1')).toEqual(['m2']);
  expect(choose('133.0.0.1')).toEqual(['m1', 'm2', 'm3', 'm4']);
  const byContinent = chooser(
    [berlin, paris, boston],
    [
      { step: 'GEO', by: ['CONTINENT'] },
      { step: 'FIRST', count: 9 },
    ],
  );
  expect(byContinent('90.0.0.1')).toEqual(['m1', 'm2']);
});

test('PROXIMITY keeps the nearest by great circle, and members within the tolerance', () => {
  const steps = (toleranceKm: number): PolicyStep[] => [
    { step: 'PROXIMITY', toleranceKm },
    { step: 'FIRST', count: 9 },
  ];
  expect(chooser([berlin, paris, boston, nowhere], steps(0))('90.0.0.1')).toEqual(['m2']);
  expect(chooser([berlin, paris, boston, nowhere], steps(900))('90.0.0.1')).toEqual(['m1', 'm2']);
  // From Tokyo.
  expect(chooser([berlin, boston], steps(0))('133.0.0.1')).toEqual(['m1']);
  expect(chooser([berlin, boston], steps(0))('203.0.113.1')).toEqual(['m1', 'm3']);
  const km = (one: [number, number], other: [number, number]) =>
    distanceKm(vectorOf(...one) as Vector, vectorOf(...other) as Vector);
  // Berlin to Paris.
  expect(km([52.52, 13.405], [48.8566, 2.3522])).toBeCloseTo(877.5, 0);
  expect(km([0, 179.5], [0, -179.5])).toBeCloseTo(111.2, 0);
  expect(km([10, 20], [10, 20])).toBeCloseTo(0, 3);
});

test('LATENCY keeps the fastest from the client’s region, and members that are hardly slower', () => {
  const fast = member('m1', { latencyMs: { eu: 20, us: 100 } });
  const near = member('m2', { latencyMs: { eu: 22, us: 50 } });
  const unknown = member('m3');
  const choose = chooser(
    [fast, near, unknown],
    [
      { step: 'LATENCY', toleranceShare: 0.1 },
      { step: 'FIRST', count: 9 },
    ],
  );
  expect(choose('10.1.0.1')).toEqual(['m1', 'm2']);
  expect(choose('10.2.0.1')).toEqual(['m2']);
  expect(choose('10.2.3.1')).toEqual(['m1', 'm2', 'm3']);
  expect(choose('81.0.0.1')).toEqual(['m1', 'm2']);
});

test(`WEIGHTED answers by weight, and uses a weight of 0 only if no other member is left (seed ${seed})`, () => {
  const choose = chooser(
    [member('m1', { weight: 1 }), member('m2', { weight: 3 }), member('m3', { weight: 0 })],
    presetSteps('WEIGHTED'),
  );
  const counts = new Map<string, number>();
  for (let turn = 0; turn < 10_000; turn += 1) {
    const [first = ''] = choose();
    counts.set(first, (counts.get(first) ?? 0) + 1);
  }
  expect(counts.get('m3')).toBeUndefined();
  expect((counts.get('m2') ?? 0) / 10_000).toBeCloseTo(0.75, 1);
  const zeros = chooser([member('m1', { weight: 0 }), member('m2', { weight: 0 })], presetSteps('WEIGHTED'));
  expect(new Set(Array.from({ length: 100 }, () => zeros()[0])).size).toBe(2);
  const all = chooser([member('m1', { weight: 0 }), member('m2')], presetSteps('WEIGHTED', { count: 2 }));
  expect(all()).toEqual(['m2', 'm1']);
});

test(`SHUFFLE puts each member first equally often (seed ${seed})`, () => {
  const choose = chooser([member('m1'), member('m2'), member('m3')], presetSteps('ROUND_ROBIN', { count: 2 }));
  const orders = new Map<string, number>();
  for (let turn = 0; turn < 12_000; turn += 1) orders.set(choose().join(), (orders.get(choose().join()) ?? 0) + 1);
  expect(orders.size).toBe(6);
  for (const count of orders.values()) expect(Math.abs(count - 2_000)).toBeLessThan(300);
});

describe('STICKY', () => {
  const clients = Array.from({ length: 10_000 }, (_, at) => `${1 + (at % 200)}.${(at >> 3) % 256}.${at % 251}.7`);
  const weighted = Array.from({ length: 6 }, (_, at) => member(`m${at + 1}`, { weight: at === 0 ? 4 : 1 }));
  const steps = presetSteps('STICKY');

  test('clients are distributed by weight', () => {
    const choose = chooser(weighted, steps);
    const share = clients.filter((client) => choose(client)[0] === 'm1').length / clients.length;
    expect(share).toBeCloseTo(4 / 9, 1);
  });

  test('a lost member moves only its own clients, by the weights of the others', () => {
    const whole = chooser(weighted, steps);
    const changed = chooser(
      weighted.map((each) => (each.memberId === 'm2' ? { ...each, up: false } : each)),
      steps,
    );
    const moved = clients.filter((client) => whole(client)[0] !== changed(client)[0]);
    expect(moved.every((client) => whole(client)[0] === 'm2')).toBe(true);
    expect(moved.length / clients.length).toBeCloseTo(1 / 9, 1);
    expect(moved.filter((client) => changed(client)[0] === 'm1').length / moved.length).toBeCloseTo(0.5, 1);
  });

  test('a new member takes its share and moves no other clients', () => {
    const whole = chooser(weighted.slice(0, 5), steps);
    const changed = chooser(weighted, steps);
    const moved = clients.filter((client) => whole(client)[0] !== changed(client)[0]);
    expect(moved.every((client) => changed(client)[0] === 'm6')).toBe(true);
    expect(moved.length / clients.length).toBeCloseTo(1 / 9, 1);
  });

  test('a client’s first answer is the same with one answer and with several, and for its whole prefix', () => {
    const [one, two] = [chooser(weighted, steps), chooser(weighted, presetSteps('STICKY', { count: 2 }))];
    for (const client of clients.slice(0, 500)) {
      expect(two(client)).toHaveLength(2);
      expect(two(client)[0]).toBe(one(client)[0]);
      expect(one(client.replace(/7$/, '200'))).toEqual(one(client));
    }
  });
});
