// The rules for every benchmark and trial in the tables.
import { describe, expect, test } from '@jest/globals';
import { benches } from '../../bench/tables.ts';
import { parseArguments } from '../../measure/arguments.ts';
import type { Bench } from '../../measure/bench.ts';
import { trials } from '../../trials/tables.ts';

const all = [
  ...Object.entries(benches),
  ...Object.entries(trials).map(([name, { load }]) => [`trial ${name}`, load] as const),
];

describe.each(all)('%s', (_name, load) => {
  test('its counts and options can be set, and none replaces a common one', async () => {
    const bench: Bench = await load();
    const names = [...Object.keys(bench.counts), ...Object.keys(bench.options ?? {})];
    expect(new Set(names).size).toBe(names.length);
    for (const common of ['seed', 'full', 'against', 'help']) expect(names).not.toContain(common);
    for (const count of Object.values(bench.counts))
      expect(count.full ?? count.usual).toBeGreaterThanOrEqual(count.usual);
    expect(parseArguments(bench, ['--full']).full).toBe(true);
  });

  test('a turn of --against names only existing counts and options', async () => {
    const { against, counts, options = {} }: Bench = await load();
    const given = Object.keys(against?.options ?? {});
    const taken = against?.measuredBy === 'this benchmark' ? [...given, 'product'] : given;
    expect(Object.keys(counts)).toEqual(expect.arrayContaining(Object.keys(against?.counts ?? {})));
    expect(Object.keys(options)).toEqual(expect.arrayContaining(taken));
    expect(against?.cpuPerUnit).not.toEqual([]);
  });
});
