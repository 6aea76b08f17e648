import { expect, jest, test } from '@jest/globals';
import { pino } from 'pino';
import type { Logger } from '../../../platform/log/log.ts';
import { SlowLog } from '../../../platform/log/slow-log.ts';

function collected(): { readonly lines: object[]; readonly log: Logger } {
  const lines: object[] = [];
  return { lines, log: pino({}, { write: (line) => void lines.push(JSON.parse(line)) }) };
}

test('ten lines are written in a second, and the others are counted', () => {
  jest.useFakeTimers();
  try {
    const { lines, log } = collected();
    const slow = new SlowLog({ log, slowMs: 100 });
    jest.advanceTimersByTime(5_000);
    for (let of = 1; of <= 14; of += 1) slow.add('statement', 100.4, { of });
    expect(lines.slice(0, 10)).toMatchObject(
      Array.from({ length: 10 }, (_, at) => ({ msg: 'slow statement', slow: 'statement', tookMs: 100, of: at + 1 })),
    );
    expect(lines.slice(10)).toMatchObject([{ slow: 'statement', count: 1 }]);
    jest.advanceTimersByTime(1_000);
    slow.add('relay call', 2_000, { of: 15 });
    expect(lines.slice(11)).toMatchObject([{ msg: 'slow relay call', of: 15 }]);
    slow.flush();
    expect(lines.slice(12)).toMatchObject([{ slow: 'statement', count: 3 }]);
  } finally {
    jest.useRealTimers();
  }
});

test.each([
  [100, 99.9, false],
  [100, 100, true],
  [0, 1e9, false],
])('log.slowMs %d: work of %d ms is slow: %s', (slowMs, tookMs, isSlow) => {
  expect(new SlowLog({ log: collected().log, slowMs }).isSlow(tookMs)).toBe(isSlow);
});
