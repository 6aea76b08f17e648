// Resident memory of a process, as the kernel counts it.
import { readFileSync } from 'node:fs';

/** In KiB (proc_pid_status(5): VmRSS). */
export function residentKib(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]);
}
