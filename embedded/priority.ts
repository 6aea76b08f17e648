// What keeps a host of a cluster alive comes before other work of the machine: the agent, etcd, the watchdog and MariaDB. systemd gives the same in the
// agent's unit; this is for everything else that starts an agent.

import { readFileSync, writeFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

/** The same as in the unit of `ha/host/host-settings.ts`. */
export const hostNice = -10;
export const hostOomScore = -900;

/** For this process and those that it starts. A priority that somebody else has chosen stays. Only root may do it: for others, nothing happens. */
export function comeFirst(): void {
  quietly(() => {
    if (getPriority() === 0) setPriority(hostNice);
  });
  quietly(() => {
    const file = '/proc/self/oom_score_adj';
    if (readFileSync(file, 'utf8').trim() === '0') writeFileSync(file, `${hostOomScore}`);
  });
  shareOut(process.pid);
}

/**
 * Gives a process that leads a session of its own this process's priority: without a cgroup of its own, the kernel shares processors out by session
 * (sched(7), autogroup), and each session begins with the usual priority.
 */
export function shareOut(pid: number): void {
  quietly(() => writeFileSync(`/proc/${pid}/autogroup`, `${getPriority()}`));
}

function quietly(work: () => void): void {
  try {
    work();
  } catch {
    // It is not allowed here, or the kernel has no such thing.
  }
}
