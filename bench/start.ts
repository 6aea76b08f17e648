// How long a second `npm start` takes until everything is ready, with the lab, and how much memory its whole tree of processes
// has when nothing happens.
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench } from './bench.ts';
import { startSystem } from './start/started-system.ts';
import { wholeNumber } from './support/options.ts';
import { processTree, proportionalKib } from './support/process-tree.ts';
import { median, rounded } from './support/statistics.ts';

/** Options: `--starts` after the first (3), `--idle` seconds before memory is read (20), `--lab no`. */
export const benchStart: Bench = async ({ options, progress, signal }) => {
  const starts = wholeNumber(options, 'starts', 3);
  const idleSeconds = wholeNumber(options, 'idle', 20);
  const withLab = options.lab !== 'no';
  const dataPath = await mkdtemp(join(tmpdir(), 'tidegate-bench-'));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(dataPath, { recursive: true, force: true }));

  const first = await startSystem({ dataPath, withLab, signal });
  await first.stop();
  progress(`first start: ${rounded(first.readyAfterMs / 1000, 2)} s; lab: ${first.hasLab ? 'yes' : 'no'}`);
  const seconds: number[] = [];
  let memory: ReadonlyMap<string, number> = new Map();
  for (let start = 1; start <= starts; start += 1) {
    const system = await startSystem({ dataPath, withLab, signal });
    try {
      seconds.push(system.readyAfterMs / 1000);
      progress(`start ${start} of ${starts}: ${rounded(system.readyAfterMs / 1000, 2)} s`);
      if (start === starts) {
        await sleep(idleSeconds * 1000, undefined, { signal });
        memory = await memoryByName(system.pid);
      }
    } finally {
      await system.stop();
    }
  }
  const parts = [...memory].map(([name, mib]): [string, number] => [name, rounded(mib, 1)]);
  return {
    secondStartSeconds: rounded(median(seconds), 2),
    residentMiB: rounded(
      [...memory.values()].reduce((sum, mib) => sum + mib, 0),
      1,
    ),
    residentMiBByProcess: Object.fromEntries(parts.sort(([, a], [, b]) => b - a)),
    startsSeconds: seconds.map((each) => rounded(each, 2)),
    firstStartSeconds: rounded(first.readyAfterMs / 1000, 2),
    lab: first.hasLab,
    machineLoad: rounded(loadavg()[0] ?? Number.NaN, 1),
  };
};

/** MiB by the names of the processes. */
async function memoryByName(root: number): Promise<ReadonlyMap<string, number>> {
  const byName = new Map<string, number>();
  for (const { pid, name } of await processTree(root))
    byName.set(name, (byName.get(name) ?? 0) + (await proportionalKib(pid)) / 1024);
  return byName;
}
