import { expect, jest, test } from '@jest/globals';
import { pino } from 'pino';
import { CountedLine } from '../../../platform/log/counted-line.ts';

test('the first event is logged at once, and the others with their count once in each period', () => {
  jest.useFakeTimers();
  try {
    const lines: { count: number; of: number }[] = [];
    const log = pino({}, { write: (line) => void lines.push(JSON.parse(line)) });
    const counted = new CountedLine(log, 'happened', 1_000);
    for (let of = 1; of <= 5; of += 1) counted.add({ of });
    expect(lines).toMatchObject([{ msg: 'happened', count: 1, of: 1 }]);
    jest.advanceTimersByTime(1_000);
    expect(lines.slice(1)).toMatchObject([{ count: 4, of: 5 }]);
    jest.advanceTimersByTime(5_000);
    expect(lines).toHaveLength(2);
    counted.add({ of: 6 });
    counted.add({ of: 7 });
    counted.flush();
    expect(lines.slice(2)).toMatchObject([
      { count: 1, of: 6 },
      { count: 1, of: 7 },
    ]);
  } finally {
    jest.useRealTimers();
  }
});
