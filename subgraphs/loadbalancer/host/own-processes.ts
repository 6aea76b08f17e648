// Processes of this machine, known by what they were started with: the number in a file may belong to another process by now, or was
// not written because this process was killed at that moment.
import { readdir, readFile } from 'node:fs/promises';
import { JoinedRun } from './providers/joined-run.ts';

const commandLines = new JoinedRun(async (): Promise<ReadonlyMap<number, readonly string[]>> => {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry)).map(Number);
  const found = new Map<number, readonly string[]>();
  for (const pid of pids) found.set(pid, await argumentsOf(pid));
  return found;
});

/** The process that the file names, if it has this argument. */
export async function processOf(pidFile: string, argument: string): Promise<number | undefined> {
  const pid = Number((await readFile(pidFile, 'utf8').catch(() => '')).trim());
  if (!Number.isInteger(pid) || pid <= 1) return undefined;
  return (await argumentsOf(pid)).includes(argument) ? pid : undefined;
}

/** Whether a process has this argument. */
export async function isRunning(argument: string): Promise<boolean> {
  return [...(await commandLines.run()).values()].some((words) => words.includes(argument));
}

/** Ends all processes with an argument that begins so. */
export async function endProcesses(prefix: string): Promise<void> {
  for (const [pid, words] of await commandLines.run())
    if (pid !== process.pid && words.some((word) => word.startsWith(prefix))) signalTo(pid, 'SIGKILL');
}

async function argumentsOf(pid: number): Promise<readonly string[]> {
  return (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
}

/** One that ended since it was looked up is nothing to fail for: a removal would be tried again much later. */
export function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself.
  }
}
