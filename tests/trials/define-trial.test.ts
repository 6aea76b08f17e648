import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { ArgumentError } from '../../measure/arguments.ts';
import type { Bench } from '../../measure/bench.ts';
import { defineTrial } from '../../trials/define-trial.ts';
import { entriesOf, folderOption, oneOf, someOf, wholeNumber } from '../../trials/trial-options.ts';

const trials = { help: 'attempts', usual: 30, full: 500 };

function run(trial: Bench, options: Readonly<Record<string, string>> = {}) {
  const common = { seed: 7, timeIsUp: () => false, progress: () => undefined, signal: new AbortController().signal };
  return trial.run({ ...common, counts: { trials: 3 }, options });
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

test('a trial gets counts and options by their names, and the seed', async () => {
  const trial = defineTrial({
    counts: { trials },
    options: {
      layer: oneOf('layer', ['feed', 'gateway'], 'feed'),
      only: someOf('kinds', ['a', 'b', 'c']),
      faults: entriesOf('faults', { cut: 1, kill: 2 }),
      lanes: wholeNumber('lanes', 8),
    },
    run: async (given) => ({ given: [given.seed, given.trials, given.layer, given.only, given.faults, given.lanes] }),
  });
  expect((await run(trial)).figures.given).toEqual([7, 3, 'feed', ['a', 'b', 'c'], { cut: 1, kill: 2 }, 8]);
  const given = { layer: 'gateway', only: 'c,a', faults: 'kill', lanes: '2' };
  expect((await run(trial, given)).figures.given).toEqual([7, 3, 'gateway', ['c', 'a'], { kill: 2 }, 2]);
  expect(trial.options).toEqual({
    layer: 'layer: feed, gateway (feed)',
    only: 'kinds, separated by commas: a, b, c (all)',
    faults: 'faults, separated by commas: cut, kill (all)',
    lanes: 'lanes (8)',
  });
  for (const [name, text] of Object.entries({ layer: 'x', only: 'a,x', faults: 'x', lanes: '0' })) {
    const refused = run(trial, { [name]: text });
    await expect(refused).rejects.toThrow(ArgumentError);
    await expect(refused).rejects.toThrow(`--${name}`);
  }
});

test('its own folder is removed at the end, also after a failure; a named one is kept', async () => {
  const folders: string[] = [];
  const trial = defineTrial({
    counts: { trials },
    options: { folder: folderOption('the logs'), fails: oneOf('whether it fails', ['false', 'true'], 'false') },
    async run({ folder, fails }) {
      folders.push(folder);
      await writeFile(join(folder, 'log'), '');
      if (fails === 'true') throw new Error('on purpose');
      return {};
    },
  });
  await run(trial);
  await expect(run(trial, { fails: 'true' })).rejects.toThrow('on purpose');
  const parent = await mkdtemp(join(tmpdir(), 'define-trial-'));
  try {
    await run(trial, { folder: join(parent, 'named') });
    expect(await Promise.all(folders.map(exists))).toEqual([false, false, true]);
    expect(new Set(folders).size).toBe(3);
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
});

test('it fails only because of figures that must be 0 and because of findings', async () => {
  const of = (figures: { readonly lost: number; readonly findings?: readonly unknown[] }) =>
    run(defineTrial({ counts: { trials }, run: async () => ({ slow: 4, ...figures }), mustBeZero: ['lost'] }));
  expect(await of({ lost: 0 })).toEqual({ figures: { slow: 4, lost: 0 }, ran: {}, faults: [] });
  expect(await of({ lost: 2 })).toMatchObject({ faults: ['lost: 2'] });
  expect(await of({ lost: 0, findings: ['x', { at: 'y' }] })).toMatchObject({
    figures: { findings: ['x', { at: 'y' }] },
    faults: ['x', '{"at":"y"}'],
  });
  const { figures, faults } = await of({ lost: 900, findings: Array.from({ length: 900 }, String) });
  expect([figures.lost, (figures.findings as unknown[]).length, faults?.length]).toEqual([900, 50, 51]);
});

test('figures with the name of a count report how much ran, unless the trial reports it itself', async () => {
  const bySame = defineTrial({ counts: { trials }, run: async () => ({ trials: 2, other: 5 }) });
  expect(await run(bySame)).toMatchObject({ ran: { trials: 2 } });
  const byTrial = defineTrial({
    counts: { trials },
    run: async () => ({ trials: 2, other: 5 }),
    ran: ({ other }) => ({ trials: other }),
  });
  expect(await run(byTrial)).toMatchObject({ ran: { trials: 5 } });
});
