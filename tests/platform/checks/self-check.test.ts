import { expect, test } from '@jest/globals';
import { SelfCheck } from '../../../platform/checks/self-check.ts';

test('passes repeatedly, for several callers at once, and fails once it is stopped', async () => {
  const subject = new SelfCheck({ timeoutMs: 2_000 });
  await subject.start();
  for (let round = 0; round < 50; round += 1) {
    expect(await Promise.all([subject.passes(), subject.passes()])).toEqual([true, true]);
  }
  await subject.stop();
  expect(await subject.passes()).toBe(false);
});
