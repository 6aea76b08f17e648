// The load of other processes on the machine, which is needed to judge figures from a shared machine.
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { cpuMsOf } from '../../measure/cpu.ts';
import { processTree } from '../../measure/process-tree.ts';

/** USER_HZ, the unit of /proc on every Linux that Node supports. */
const ticksPerSecond = 100;

interface Reading {
  readonly atMs: number;
  readonly busyMs: number;
  readonly ownMs: number;
}

/** The share of all processors (0 to 1) used during `work` by processes other than this one and its children. */
export async function othersDuring<Result>(
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly others: number }> {
  const before = await read();
  const result = await work();
  const after = await read();
  const othersMs = after.busyMs - before.busyMs - (after.ownMs - before.ownMs);
  const others = othersMs / ((after.atMs - before.atMs) * availableParallelism());
  return { result, others: Math.min(1, Math.max(0, others)) };
}

async function read(): Promise<Reading> {
  const tree = await processTree(process.pid);
  const ownMs = tree.reduce((sum, { pid }) => sum + cpuMs(pid), 0);
  return { atMs: performance.now(), busyMs: busyMs(), ownMs };
}

/** Zero if the process has just ended. */
function cpuMs(pid: number): number {
  try {
    return cpuMsOf(pid);
  } catch {
    return 0;
  }
}

/** All time except idle and waiting for disks; proc_stat(5): user nice system idle iowait irq softirq steal. */
function busyMs(): number {
  const [, ...ticks] = (readFileSync('/proc/stat', 'latin1').split('\n', 1)[0] ?? '').split(/\s+/).map(Number);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = ticks;
  return ((user + nice + system + irq + softirq + steal) * 1000) / ticksPerSecond;
}
