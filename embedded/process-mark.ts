// Identifies one process permanently: its number may be reused later, and after a boot.

import { readFileSync } from 'node:fs';
import { killQuietly } from './server-process.ts';

export interface ProcessMark {
  readonly pid: number;
  /** Clock ticks from the boot to its start (proc(5), stat, field 22). */
  readonly startTicks: string;
  readonly bootId: string;
}

/** Undefined: there is no such process, or it has ended. */
export function processMark(pid: number): ProcessMark | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field, in brackets, may contain anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return { pid, startTicks: fields[19] ?? '', bootId };
  } catch {
    return undefined;
  }
}

export function isAlive(mark: ProcessMark): boolean {
  const now = processMark(mark.pid);
  return now !== undefined && now.startTicks === mark.startTicks && now.bootId === mark.bootId;
}

/** Another process that has the number by now is never touched. */
export function killMarked(mark: ProcessMark): void {
  if (isAlive(mark)) killQuietly(mark.pid, 'SIGKILL');
}
