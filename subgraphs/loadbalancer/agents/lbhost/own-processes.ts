// Finds processes of this machine by the arguments with which they were started. A process id in a file may belong to another process by
// now, or may be missing because this process was killed before it wrote it.
import { readdir, readFile, readlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { JoinedRun } from './providers/joined-run.ts';

const takeOverMs = 2_000;
const pollMs = 10;

const commandLines = new JoinedRun(async (): Promise<ReadonlyMap<number, readonly string[]>> => {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry)).map(Number);
  const found = new Map<number, readonly string[]>();
  for (const pid of pids) found.set(pid, await argumentsOf(pid));
  return found;
});

/** The process in the file, if it has this argument. */
export async function processOf(pidFile: string, argument: string): Promise<number | undefined> {
  const pid = Number((await readFile(pidFile, 'utf8').catch(() => '')).trim());
  if (!Number.isInteger(pid) || pid <= 1) return undefined;
  // A program that re-executes itself, such as a master, briefly has no arguments.
  for (const until = performance.now() + takeOverMs; ; await sleep(pollMs)) {
    const words = await argumentsOf(pid);
    if (words.some((word) => word !== '')) return words.includes(argument) ? pid : undefined;
    if (performance.now() > until || !(await isAlive(pid))) return undefined;
  }
}

/** Whether it exists and has not ended: an ended process stays until its parent waits for it (proc(5), /proc/PID/stat). */
async function isAlive(pid: number): Promise<boolean> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const state = text.slice(text.lastIndexOf(')') + 2).charAt(0);
  return state !== '' && state !== 'Z' && state !== 'X';
}

/** Whether a process has this argument. */
export async function isRunning(argument: string): Promise<boolean> {
  return [...(await commandLines.run()).values()].some((words) => words.includes(argument));
}

/** Ends all processes with an argument that has this prefix. */
export async function endProcesses(prefix: string): Promise<void> {
  for (const [pid, words] of await commandLines.run())
    if (pid !== process.pid && words.some((word) => word.startsWith(prefix))) signalTo(pid, 'SIGKILL');
}

/** Whether the process has its own process id namespace. */
export async function isApart(pid: number | undefined): Promise<boolean> {
  const [its, own] = await Promise.all(
    [pid, process.pid].map((each) => readlink(`/proc/${each}/ns/pid`).catch(() => '')),
  );
  return its !== own;
}

async function argumentsOf(pid: number): Promise<readonly string[]> {
  return (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
}

/** A process that ended since it was found is not an error: otherwise a removal would be retried much later. */
export function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has already ended.
  }
}
