// Programs that outlive the process that started them, as HAProxy does: a test ends its own, also when it has failed.
import { readdir, readFile } from 'node:fs/promises';

/** Kills the processes that name `folder`, a test's own, in their arguments; resolves when they are gone. */
export async function endProcessesOf(folder: string): Promise<void> {
  for (let tries = 0; tries < 50; tries += 1) {
    const pids = await processesOf(folder);
    if (pids.length === 0) return;
    for (const pid of pids) killed(pid);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`processes of ${folder} are left: ${(await processesOf(folder)).join(', ')}`);
}

async function processesOf(folder: string): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 1 && pid !== process.pid);
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return pids.filter((_, index) => lines[index]?.includes(folder));
}

function killed(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
