// The most memory that a process had at any moment of a measurement.
import { readFileSync, writeFileSync } from 'node:fs';
import { rounded } from '../../measure/statistics.ts';

/** proc_pid_clear_refs(5): 5 resets the peak to the current resident size. */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/** The peak of resident memory since the reset, in MiB (proc_pid_status(5): VmHWM, in KiB). */
export function peakMib(pid: number): number {
  const kib = Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]);
  return rounded(kib / 1024, 1);
}
