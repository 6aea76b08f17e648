// Versions: their order does not hang on clocks.
import { expect, test } from '@jest/globals';
import { mostAheadMs, noVersion, VersionClock } from '../../../platform/registers/version.ts';

function clockOf(cluster: number, nowMs: () => number): VersionClock {
  return new VersionClock({ cluster, nowMs, chance: () => '0123456789ab' });
}

test('versions rise, also while the clock stands still or goes back', () => {
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

test('what was met is before what comes next, whatever the clock says', () => {
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

test('a version from far ahead is not followed', () => {
  const nowMs = 1_700_000_000_000;
  const clock = clockOf(1, () => nowMs);
  const far = clockOf(2, () => nowMs + mostAheadMs + 1).next();
  const near = clockOf(2, () => nowMs + mostAheadMs).next();
  expect(clock.isFarAhead(far)).toBe(true);
  clock.meet(far);
  expect(clock.next() < near).toBe(true);
  expect(clock.isFarAhead(near)).toBe(false);
  clock.meet(near);
  expect(clock.next() > near).toBe(true);
  // What it met moved its own time on.
  expect(clock.isFarAhead(far)).toBe(false);
});

test('what is made within a time is not after its last version, what is made later is', () => {
  let nowMs = 1_700_000_000_000;
  const clock = clockOf(1, () => nowMs);
  const last = clock.lastWithin(1_000);
  nowMs += 1_000;
  expect(clock.next() <= last).toBe(true);
  nowMs += 1;
  expect(clock.next() > last).toBe(true);
});
