// Reports that the machine is too busy: slow or uncertain results are then not Tidegate's own fault.
import { availableParallelism, loadavg } from 'node:os';
import type { Logger } from '../platform/log/log.ts';

const usualEveryMs = 15_000;
/** Runnable processes for each CPU, over a minute. At this load everything takes four times as long. */
const busyPerCpu = 4;

interface BusyMachineOptions {
  readonly log: Pick<Logger, 'warn'>;
  readonly everyMs?: number;
  readonly cpus?: number;
  /** Runnable processes, over a minute. */
  readonly wanting?: () => number;
}

/** Logs once each time that it becomes too busy. In between the load must have fallen to half of the limit. */
export function watchBusyMachine(options: BusyMachineOptions): { stop(): void } {
  const { log, everyMs = usualEveryMs, cpus = availableParallelism(), wanting = () => loadavg()[0] ?? 0 } = options;
  let isBusy = false;
  const timer = setInterval(() => {
    const count = Math.round(wanting());
    const most = cpus * busyPerCpu;
    if (!isBusy && count >= most)
      log.warn(`the machine is too busy: ${count} processes want ${cpus} ${cpus === 1 ? 'CPU' : 'CPUs'}`);
    isBusy = count >= (isBusy ? most / 2 : most);
  }, everyMs).unref();
  return { stop: () => clearInterval(timer) };
}
