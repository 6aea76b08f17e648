// Memory of a process and all its descendants, with each shared page counted once.
import { readdir, readFile } from 'node:fs/promises';
import { cpuMsWithEnded } from './cpu.ts';

interface TreeProcess {
  readonly pid: number;
  /** From the kernel, at most 15 characters; Node's is `node`. */
  readonly name: string;
}

/** The process and its descendants, without those that end in the meantime. */
export async function processTree(root: number): Promise<TreeProcess[]> {
  const all = new Map<number, { readonly name: string; readonly parent: number }>();
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    // proc_pid_stat(5): the name is in parentheses and may contain spaces; then state and the parent.
    const match = /^\d+ \((.*)\) \S (\d+)/s.exec(await readFile(`/proc/${entry}/stat`, 'latin1').catch(() => ''));
    if (match === null) continue;
    const [, name = '', parent] = match;
    all.set(Number(entry), { name: name === 'MainThread' ? 'node' : name, parent: Number(parent) });
  }
  const belongs = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = all.get(at)?.parent)
      if (at === root) return true;
    return false;
  };
  return [...all].filter(([pid]) => belongs(pid)).map(([pid, { name }]) => ({ pid, name }));
}

/** CPU time so far of the process and all its descendants, including ended ones. */
export async function cpuMsOfTree(root: number): Promise<number> {
  return (await processTree(root)).reduce((sum, { pid }) => sum + (cpuMsUnlessEnded(pid) ?? 0), 0);
}

/** Undefined for a process that has ended since: it is included in its parent's time. */
function cpuMsUnlessEnded(pid: number): number | undefined {
  try {
    return cpuMsWithEnded(pid);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}

/** Proportional set size in KiB. Throws if the process belongs to another user. Zero if it has ended. */
export function proportionalKib(pid: number): Promise<number> {
  return memoryKib(pid, 'Pss');
}

/** Like `proportionalKib`, without pages of files: their share grows when another process of the same program ends. */
export function anonymousKib(pid: number): Promise<number> {
  return memoryKib(pid, 'Anonymous');
}

async function memoryKib(pid: number, figure: 'Pss' | 'Anonymous'): Promise<number> {
  try {
    const text = await readFile(`/proc/${pid}/smaps_rollup`, 'latin1');
    return Number(new RegExp(`^${figure}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return 0;
    throw error;
  }
}
