// What `npm start` with the lab's firewall costs while nobody uses it: statements, commits and redo of MariaDB, commands of Redis, CPU
// time, and memory of the whole process tree. Each sender is shown with its statements a second.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type BenchContext, type BenchResult, defineBench } from '../measure/bench.ts';
import { cpuMsOfTree } from '../measure/process-tree.ts';
import { rounded } from '../measure/statistics.ts';
import { commandsPerSecond, IdleCounters } from './idle/counters.ts';
import { processesOf } from './idle/processes.ts';
import { statementsPerSecond } from './idle/statements.ts';
import { memoryByName } from './start/memory-by-name.ts';
import { startSystem } from './start/started-system.ts';

const counts = {
  settle: { help: 'after the start, before anything is measured', unit: 's', usual: 90 },
  seconds: { help: 'of the measurement', unit: 's', usual: 60, full: 300 },
  shown: { help: 'statements that are shown, the most frequent ones', usual: 40 },
};

export const benchIdle = defineBench({
  counts,
  options: {
    lab: 'no: without the lab',
    product: 'the checkout whose `npm start` is measured (this one)',
  },
  run,
});

async function run({
  counts: { settle, seconds, shown },
  options,
  progress,
  signal,
}: BenchContext<keyof typeof counts>): Promise<BenchResult> {
  const product = options.product ?? fileURLToPath(new URL('..', import.meta.url));
  const dataPath = await mkdtemp(join(tmpdir(), 'tidegate-bench-'));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(dataPath, { recursive: true, force: true }));
  const system = await startSystem({ product, dataPath, withLab: options.lab !== 'no', signal });
  stack.defer(() => system.stop());
  progress(`ready after ${rounded(system.readyAfterMs / 1000, 1)} s; it settles for ${settle} s`);
  const counters = stack.use(await IdleCounters.open(dataPath));
  await sleep(settle * 1000, undefined, { signal });

  const [before, cpuBefore, fromMs] = [await counters.read(), await cpuMsOfTree(system.pid), performance.now()];
  await sleep(seconds * 1000, undefined, { signal });
  const [after, cpuAfter] = [await counters.read(), await cpuMsOfTree(system.pid)];
  const tookMs = performance.now() - fromMs;
  const perSecond = (count: number) => rounded((count * 1000) / tookMs, 2);
  const memory = await memoryByName(system.pid);
  const rates = commandsPerSecond(before.redisByCommand, after.redisByCommand, tookMs / 1000);
  progress(`commands of Redis a second: ${JSON.stringify(rates)}`);
  for (const each of await processesOf(system.pid)) progress(each);
  const statements = await statementsPerSecond(counters.database, seconds, signal);
  for (const { text, rate } of statements.slice(0, shown)) progress(`${rate.toFixed(2).padStart(7)}/s ${text}`);
  const figures = {
    queriesPerSecond: perSecond(after.queries - before.queries),
    commitsPerSecond: perSecond(after.commits - before.commits),
    redisPerSecond: perSecond(after.redis - before.redis),
    cpuPercent: rounded(((cpuAfter - cpuBefore) * 100) / tookMs, 2),
    pssMiB: rounded(sum(memory.values()), 1),
    redoMiBPerDay: rounded(((after.redoBytes - before.redoBytes) * 86_400_000) / tookMs / 1024 ** 2, 1),
    pssMiBByProcess: Object.fromEntries([...memory].map(([name, mib]) => [name, rounded(mib, 1)])),
    statementsPerSecond: rounded(sum(statements.map(({ rate }) => rate)), 2),
    lab: system.hasLab,
  };
  return { figures };
}

function sum(values: Iterable<number>): number {
  return [...values].reduce((all, each) => all + each, 0);
}
