// The time of a second `npm start` until everything is ready, with the lab's firewall, and the memory of its whole process tree when idle.
// Both are judged. It also reports the additional cost of each other part of the lab.
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type BenchContext, type BenchResult, defineBench } from '../measure/bench.ts';
import { median, rounded } from '../measure/statistics.ts';
import { addDevices, namedDevices } from './start/lab-devices.ts';
import { memoryByName } from './start/memory-by-name.ts';
import { startSystem } from './start/started-system.ts';

const counts = {
  starts: { help: 'starts after the first', usual: 3 },
  idle: { help: 'seconds before memory is read', usual: 20 },
};

export const benchStart = defineBench({
  counts,
  options: {
    lab: 'no: without the lab',
    parts: 'other parts of the lab to measure, separated by commas, or none (all but neutron, which downloads 120 MB)',
    product: 'the checkout whose `npm start` is measured (this one)',
  },
  against: {
    counts: { starts: 3, idle: 1 },
    options: { parts: 'none' },
    rounds: 7,
    cpuPerUnit: ['startCpuMs'],
    // Older benchmarks do not report the cost of a start.
    measuredBy: 'this benchmark',
  },
  run,
});

async function run({
  counts: { starts, idle: idleSeconds },
  options,
  progress,
  signal,
}: BenchContext<keyof typeof counts>): Promise<BenchResult> {
  const withLab = options.lab !== 'no';
  const names = withLab ? namedDevices(options.parts) : [];
  const product = options.product ?? fileURLToPath(new URL('..', import.meta.url));
  const dataPath = await mkdtemp(join(tmpdir(), 'tidegate-bench-'));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(dataPath, { recursive: true, force: true }));

  const first = await startSystem({ product, dataPath, withLab, signal });
  await first.stop();
  progress(`first start: ${rounded(first.readyAfterMs / 1000, 2)} s; lab: ${first.hasLab ? 'yes' : 'no'}`);
  const seconds: number[] = [];
  const cpuMs: number[] = [];
  let memory: ReadonlyMap<string, number> = new Map();
  let parts: object = {};
  for (let start = 1; start <= starts; start += 1) {
    const system = await startSystem({ product, dataPath, withLab, signal });
    try {
      seconds.push(system.readyAfterMs / 1000);
      cpuMs.push(system.cpuMs);
      progress(`start ${start} of ${starts}: ${rounded(system.readyAfterMs / 1000, 2)} s`);
      if (start === starts) {
        await sleep(idleSeconds * 1000, undefined, { signal });
        memory = await memoryByName(system.pid);
        if (names.length > 0)
          parts = await addDevices({ names, dataPath, pid: system.pid, idleSeconds, progress, signal });
      }
    } finally {
      await system.stop();
    }
  }
  if (names.length > 0) {
    const whole = await startSystem({ product, dataPath, withLab, signal });
    await whole.stop();
    parts = { ...parts, startWithPartsSeconds: rounded(whole.readyAfterMs / 1000, 2) };
  }
  const byProcess = [...memory].map(([name, mib]): [string, number] => [name, rounded(mib, 1)]);
  const figures = {
    secondStartSeconds: rounded(median(seconds), 2),
    startCpuMs: rounded(median(cpuMs), 0),
    residentMiB: rounded(
      [...memory.values()].reduce((sum, mib) => sum + mib, 0),
      1,
    ),
    residentMiBByProcess: Object.fromEntries(byProcess.sort(([, a], [, b]) => b - a)),
    startsSeconds: seconds.map((each) => rounded(each, 2)),
    firstStartSeconds: rounded(first.readyAfterMs / 1000, 2),
    ...parts,
    lab: first.hasLab,
    machineLoad: rounded(loadavg()[0] ?? Number.NaN, 1),
  };
  return { figures };
}
