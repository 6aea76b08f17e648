// Programs that outlive the process that started them, as HAProxy does. A test ends its own, even when it has failed.
import { readdir, readFile } from 'node:fs/promises';
import { waitFor } from './temporary-folder.ts';

/** Kills the processes that name `folder`, a test's own, in their arguments; resolves when they are gone. */
export async function endProcessesOf(folder: string): Promise<void> {
  await waitFor(`the end of the processes of ${folder}`, async () => {
    const pids = await processesOf(folder);
    for (const pid of pids) killed(pid);
    return pids.length === 0;
  });
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
    // It has already ended.
  }
}
