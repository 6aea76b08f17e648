// Each fault has the effect on a write that its name describes.

import { afterEach, expect, jest, test } from '@jest/globals';
import { AppliedLog } from '../../../simulators/support/applied-log.ts';
import { Faults } from '../../../simulators/support/faults.ts';

function deviceWith(faults: Faults) {
  const log = new AppliedLog();
  let dropped = 0;
  const write = (mark: string) =>
    faults.around({
      apply: () => {
        log.add({ via: 'REST', action: 'POST thing', text: `{"comment":"${mark}"}` });
        return 'done';
      },
      fail: () => 'refused',
      drop: () => {
        dropped += 1;
      },
    });
  return { log, write, dropped: () => dropped };
}

afterEach(() => void jest.useRealTimers());

test('planned faults come first, one per write', async () => {
  const faults = new Faults();
  const device = deviceWith(faults);
  faults.plan('FAIL', 'DROP_BEFORE_APPLYING', 'DROP_AFTER_APPLYING', 'SILENT_AFTER_APPLYING');
  expect(await device.write('a')).toBe('refused');
  expect(await device.write('b')).toBeUndefined();
  expect(await device.write('c')).toBeUndefined();
  expect(device.dropped()).toBe(2);
  expect(await device.write('d')).toBeUndefined();
  expect(device.dropped()).toBe(2);
  expect(await device.write('e')).toBe('done');
  expect(device.log.entries.map((entry) => entry.text)).toEqual(['c', 'd', 'e'].map((mark) => `{"comment":"${mark}"}`));
});

test('a late fault applies after the connection is gone', async () => {
  jest.useFakeTimers();
  const faults = new Faults({ applyLateMs: 5 });
  const device = deviceWith(faults);
  faults.plan('APPLY_LATE');
  expect(await device.write('late')).toBeUndefined();
  expect(device.dropped()).toBe(1);
  expect(device.log.carrying('late')).toHaveLength(0);
  jest.advanceTimersByTime(5);
  expect(device.log.carrying('late')).toHaveLength(1);
});

test('a late effect never happens once the device is stopped', async () => {
  jest.useFakeTimers();
  const faults = new Faults({ applyLateMs: 5 });
  const device = deviceWith(faults);
  faults.plan('APPLY_LATE');
  await device.write('late');
  faults.stop();
  jest.advanceTimersByTime(5);
  expect(device.log.entries).toHaveLength(0);
});

test('random faults follow their probabilities, and a seed repeats them', async () => {
  const run = async (seed: number): Promise<string> => {
    const device = deviceWith(new Faults({ probability: { FAIL: 0.25, DROP_BEFORE_APPLYING: 0.25 } }, seed));
    const answers: (string | undefined)[] = [];
    for (let index = 0; index < 2000; index += 1) answers.push(await device.write('x'));
    expect(answers.filter((answer) => answer === 'refused').length / 2000).toBeCloseTo(0.25, 1);
    expect(answers.filter((answer) => answer === 'done').length / 2000).toBeCloseTo(0.5, 1);
    return answers.map((answer) => answer?.[0] ?? '-').join('');
  };
  expect(await run(7)).toBe(await run(7));
  expect(await run(7)).not.toBe(await run(8));
});
