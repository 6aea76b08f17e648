// Names one process for good: its number may be given to another one later, and after a boot.

import { readFile } from 'node:fs/promises';

export interface ProcessMark {
  readonly pid: number;
  /** Clock ticks from the boot to its start (proc(5), stat, field 22). */
  readonly startTicks: string;
  readonly bootId: string;
}

/** Undefined: there is no such process, or it has ended. */
export async function processMark(pid: number): Promise<ProcessMark | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The second field, in brackets, may contain anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    return { pid, startTicks: fields[19] ?? '', bootId };
  } catch {
    return undefined;
  }
}

export async function isAlive(mark: ProcessMark): Promise<boolean> {
  const now = await processMark(mark.pid);
  return now !== undefined && now.startTicks === mark.startTicks && now.bootId === mark.bootId;
}
