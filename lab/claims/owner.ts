// Names of the processes that own resources of the lab. A name identifies one process permanently: it contains the boot, the process namespace, the
// process id, and the start time, because process ids are reused.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { type ProcessMark, processMark } from '../../embedded/process-mark.ts';

interface Owner {
  readonly boot: string;
  /** Inode of its process namespace (namespaces(7)). In another namespace its id belongs to another process. */
  readonly space: string;
  readonly pid: number;
  readonly startTicks: string;
}

/** PROC_PID_INIT_INO of the kernel's proc_ns.h: from this namespace all processes are visible. */
const firstSpace = '4026531836';
const form = /^([0-9a-f]{8})-(\d{1,20})-(\d{1,10})-(\d{1,20})$/;

/** Name of this process. */
export function ownName(): string {
  const mark = processMark(process.pid);
  if (mark === undefined) throw new Error('/proc has no entry of this process');
  return nameOf(mark, spaceOf('self') ?? '0');
}

export function nameOf({ bootId, pid, startTicks }: ProcessMark, space = spaceOf('self') ?? '0'): string {
  return `${bootId.slice(0, 8)}-${space}-${pid}-${startTicks}`;
}

/** Undefined if it is no such name. */
export function ownerOf(name: string): Owner | undefined {
  const [, boot, space, pid, startTicks] = form.exec(name) ?? [];
  if (boot === undefined || space === undefined || startTicks === undefined) return undefined;
  return { boot, space, pid: Number(pid), startTicks };
}

/** False if this process can't know. */
export function hasEnded({ boot, space, pid, startTicks }: Owner): boolean {
  if (boot !== readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 8)) return true;
  const own = spaceOf('self');
  if (space === own) return processMark(pid)?.startTicks !== startTicks;
  // Processes of an enclosing namespace are invisible, and other accounts may hide their processes.
  if (own !== firstSpace || process.getuid?.() !== 0) return false;
  return !readdirSync('/proc').some((each) => /^\d+$/.test(each) && spaceOf(each) === space);
}

function spaceOf(pid: string): string | undefined {
  try {
    return /^pid:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/ns/pid`))?.[1];
  } catch {
    return undefined;
  }
}
