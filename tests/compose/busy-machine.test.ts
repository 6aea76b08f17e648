// A machine that is too busy is reported in words, once each time.
import { afterEach, expect, jest, test } from '@jest/globals';
import { watchBusyMachine } from '../../compose/busy-machine.ts';

afterEach(() => {
  jest.useRealTimers();
});

test('it is reported when four processes want each CPU, and again only after a calm period', () => {
  jest.useFakeTimers();
  const warnings: string[] = [];
  let wanting = 7.4;
  const watch = watchBusyMachine({
    log: { warn: ((text: string) => void warnings.push(text)) as never },
    ...{ everyMs: 1_000, cpus: 2, wanting: () => wanting },
  });
  const look = (now: number) => {
    wanting = now;
    jest.advanceTimersByTime(1_000);
  };
  look(7.4);
  expect(warnings).toEqual([]);
  look(63.2);
  look(70);
  look(6);
  look(9);
  expect(warnings).toEqual(['the machine is too busy: 63 processes want 2 CPUs']);
  look(3);
  look(8);
  expect(warnings.slice(1)).toEqual(['the machine is too busy: 8 processes want 2 CPUs']);
  watch.stop();
  look(3);
  look(100);
  expect(warnings).toHaveLength(2);
});
