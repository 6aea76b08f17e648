import { describe, expect, test } from '@jest/globals';
import { parseArguments, usageOf } from '../../measure/arguments.ts';
import { defineBench } from '../../measure/bench.ts';

const bench = defineBench({
  counts: { trials: { help: 'attempts', usual: 30, full: 500 }, real: { help: 'real calls', usual: 9, least: 0 } },
  options: { folder: 'keeps the logs there' },
  against: { counts: { trials: 2 }, rounds: 5, cpuPerUnit: ['cpuMs'], measuredBy: 'its own benchmark' },
  run: async () => ({ figures: {} }),
});
const uncomparable = defineBench({ counts: {}, run: async () => ({ figures: {} }) });

describe('arguments of benchmarks and trials', () => {
  test('without options it uses the usual counts and a random seed; with --full it uses the counts of the full proof', () => {
    expect(parseArguments(bench, [], () => 77)).toEqual({
      ...{ seed: 77, full: false, counts: { trials: 30, real: 9 }, options: {} },
      ...{ givenCounts: {}, unbounded: false, against: undefined, rounds: undefined },
    });
    const full = parseArguments(bench, ['--full', '--seed', '5']);
    expect(full).toMatchObject({ seed: 5, full: true, counts: { trials: 500, real: 9 }, unbounded: true });
  });

  test('a given count is used, without a time limit', () => {
    const given = parseArguments(bench, ['--trials', '3', '--real', '0', '--folder', '/tmp/x']);
    expect(given).toMatchObject({
      givenCounts: { trials: 3, real: 0 },
      counts: { trials: 3, real: 0 },
      options: { folder: '/tmp/x' },
      unbounded: true,
    });
  });

  test('each run has a new seed', () => {
    const seeds = Array.from({ length: 8 }, () => parseArguments(bench, []).seed);
    expect(new Set(seeds).size).toBeGreaterThan(1);
    for (const seed of seeds) expect(Number.isSafeInteger(seed) && seed >= 0).toBe(true);
  });

  test.each([
    [['--trials', '0'], '--trials must be a whole number of at least 1'],
    [['--trials', '1.5'], '--trials must be a whole number'],
    [['--seed', 'x'], '--seed must be a whole number of at least 0'],
    [['--trialz', '3'], "Unknown option '--trialz'"],
    [['more'], "Unexpected argument 'more'"],
    [['--rounds', '3'], '--rounds goes with --against'],
    [['--full', '--against', 'HEAD'], 'exclude each other'],
  ])('%j is refused', (words, message) => {
    expect(() => parseArguments(bench, words)).toThrow(message);
  });

  test('--against is refused when no figure is CPU time per unit', () => {
    expect(parseArguments(bench, ['--against', 'HEAD', '--rounds', '2'])).toMatchObject({ against: 'HEAD', rounds: 2 });
    expect(() => parseArguments(uncomparable, ['--against', 'HEAD'])).toThrow(
      'this has no figure of CPU time per unit',
    );
    expect(usageOf('npm run bench -- x', uncomparable)).not.toContain('--against');
  });

  test('its usage names every option and both counts', () => {
    const usage = usageOf('npm run bench -- x', bench);
    for (const part of [
      '--trials N',
      '(30; with --full 500)',
      '--folder TEXT',
      '--full',
      '--seed N',
      '--against COMMIT',
    ])
      expect(usage).toContain(part);
  });
});
