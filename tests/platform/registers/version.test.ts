// The order of versions does not depend on clocks.
import { expect, test } from '@jest/globals';
import { isVersion, mostAheadMs, noVersion, timeOf, VersionClock } from '../../../platform/registers/version.ts';

function clockOf(cluster: number, nowMs: () => number): VersionClock {
  return new VersionClock({ cluster, nowMs, chance: () => '0123456789ab' });
}

test('versions rise, even while the clock stands still or goes back', () => {
  let nowMs = 1_700_000_000_000;
  const clock = clockOf(1, () => nowMs);
  const versions = [noVersion];
  for (let turn = 0; turn < 70_000; turn += 1) {
    versions.push(clock.next());
    if (turn === 100) nowMs -= 3_600_000;
    if (turn === 69_000) nowMs += 7_200_000;
  }
  expect(versions.toSorted()).toEqual(versions);
  expect(new Set(versions).size).toBe(versions.length);
  expect(versions.every((version) => /^[0-9a-f]{32}$/.test(version))).toBe(true);
});

test('a version that was received is before the next one, whatever the clock says', () => {
  const ahead = clockOf(1, () => 1_700_003_600_000);
  const behind = clockOf(2, () => 1_700_000_000_000);
  const met = ahead.next();
  expect(behind.next() < met).toBe(true);
  behind.meet(met);
  expect(behind.next() > met).toBe(true);
  const first = behind.next();
  behind.meet(noVersion);
  expect(behind.next() > first).toBe(true);
});

test('a version from far ahead is not followed, and many small steps do not move a clock further either', () => {
  const nowMs = 1_700_000_000_000;
  const clock = clockOf(1, () => nowMs);
  const far = clockOf(2, () => nowMs + mostAheadMs + 1).next();
  const near = clockOf(2, () => nowMs + mostAheadMs).next();
  clock.meet(far);
  expect(clock.next() < near).toBe(true);
  clock.meet(near);
  expect(clock.next() > near).toBe(true);
  clock.meet(far);
  expect(clock.next() < far).toBe(true);
});

test('a name whose version is years ahead gets a later one, and other names do not', () => {
  const nowMs = 1_700_000_000_000;
  const clock = clockOf(1, () => nowMs);
  const far = clockOf(2, () => nowMs + 400 * 86_400_000).next();
  const next = clock.next(far);
  expect(next > far).toBe(true);
  expect(timeOf(next)).toBe(timeOf(far));
  expect(clock.next(next) > next).toBe(true);
  expect(timeOf(clock.next())).toBe(nowMs);
  const last = clock.lastWithin(1_000, far);
  expect(clock.next(next) <= last).toBe(true);
  expect(timeOf(clock.lastWithin(1_000))).toBe(nowMs + 1_000);
});

test('after a clock was set back by days, its versions are those of the right time', () => {
  let nowMs = 1_700_000_000_000;
  const clock = clockOf(1, () => nowMs);
  nowMs += 3 * 86_400_000;
  const wrong = clock.next();
  nowMs -= 3 * 86_400_000;
  expect(timeOf(clock.next())).toBe(nowMs);
  expect(clock.next(wrong) > wrong).toBe(true);
});

test('versions end with the year 9999, and no clock makes those of its last 1,000 years', () => {
  const clock = clockOf(1, () => Date.UTC(12_000, 0));
  const latest = clock.next();
  expect(new Date(timeOf(latest)).getUTCFullYear()).toBe(9_000);
  expect(isVersion(clock.next(latest))).toBe(true);
  const end = `${(Date.UTC(10_000, 0) - 1).toString(16).padStart(12, '0')}${'f'.repeat(20)}`;
  expect(isVersion(end)).toBe(true);
  expect(() => clock.next(end)).toThrow('no version is left');
  expect(isVersion('f'.repeat(32))).toBe(false);
});

test('a version made within a time is not after its last version, and a version made later is', () => {
  let nowMs = 1_700_000_000_000;
  const clock = clockOf(1, () => nowMs);
  const last = clock.lastWithin(1_000);
  nowMs += 1_000;
  expect(clock.next() <= last).toBe(true);
  nowMs += 1;
  expect(clock.next() > last).toBe(true);
});
