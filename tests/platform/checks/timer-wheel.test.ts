import { describe, expect, test } from '@jest/globals';
import { TimerWheel } from '../../../platform/checks/timer-wheel.ts';

function wheel(slots = 8): TimerWheel {
  return new TimerWheel({ tickMs: 10, slots, nowMs: 1_000 });
}

describe('TimerWheel', () => {
  test('no entry is due before its time, every entry is due at its time, and the oldest comes first', () => {
    const subject = wheel();
    subject.set('late', 1_050);
    subject.set('early', 1_020);
    expect(subject.turn(1_010)).toEqual([]);
    expect(subject.turn(1_050)).toEqual(['early', 'late']);
    expect(subject.size).toBe(0);
  });

  test('a delay of several turns is respected', () => {
    const subject = wheel(4);
    subject.set('a', 1_205);
    for (let now = 1_010; now <= 1_200; now += 10) expect(subject.turn(now)).toEqual([]);
    expect(subject.turn(1_210)).toEqual(['a']);
  });

  test('a pause longer than a turn loses nothing and repeats nothing', () => {
    const subject = wheel(4);
    for (let step = 1; step <= 20; step += 1) subject.set(`t${step}`, 1_000 + step * 10);
    expect(subject.turn(1_150)).toEqual(Array.from({ length: 15 }, (_, index) => `t${index + 1}`));
    expect(subject.turn(1_150)).toEqual([]);
    expect(subject.turn(1_200)).toEqual(['t16', 't17', 't18', 't19', 't20']);
  });

  test('a second set moves an entry, delete removes it, and a time in the past is due at the next turn', () => {
    const subject = wheel();
    subject.set('moved', 1_020);
    subject.set('moved', 1_060);
    subject.set('gone', 1_020);
    subject.delete('gone');
    subject.set('past', 10);
    expect(subject.turn(1_000)).toEqual([]);
    expect(subject.turn(1_030)).toEqual(['past']);
    expect(subject.has('moved')).toBe(true);
    expect(subject.turn(1_060)).toEqual(['moved']);
  });

  test('random times fire exactly once, in the tick after they are due', () => {
    const seed = 20_261_120;
    let state = seed;
    const random = () => {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
      return state / 2 ** 31;
    };
    const subject = wheel(16);
    const due = new Map(Array.from({ length: 500 }, (_, index) => [`r${index}`, 1_000 + random() * 2_000]));
    for (const [id, at] of due) subject.set(id, at);
    const seen = new Map<string, number>();
    let now = 1_000;
    while (now < 3_100) {
      now += 1 + random() * 100;
      for (const id of subject.turn(now)) {
        expect([seed, id, seen.has(id)]).toEqual([seed, id, false]);
        seen.set(id, now);
        expect(now).toBeGreaterThanOrEqual(due.get(id) ?? Number.POSITIVE_INFINITY);
      }
    }
    expect(seen.size).toBe(500);
  });
});
