// CPU time of a process with all its threads, measured from outside, so that every program is measured in the same way.
import { readFileSync } from 'node:fs';

/** USER_HZ, the unit of /proc on every Linux that Node supports. */
const ticksPerSecond = 100;

/** User and system time so far, in milliseconds (proc_pid_stat(5): utime and stime, in ticks of 10 ms). */
export function cpuMsOf(pid: number): number {
  const [user, system] = timesOf(pid);
  return user + system;
}

/** The same with all its children that have ended and were waited for, and theirs (cutime and cstime). */
export function cpuMsWithEnded(pid: number): number {
  return timesOf(pid).reduce((sum, each) => sum + each, 0);
}

function timesOf(pid: number): readonly [user: number, system: number, endedUser: number, endedSystem: number] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The program's name is in parentheses and may contain spaces; state is the first field after it, utime the twelfth.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ms = (index: number): number => (Number(fields[index]) * 1000) / ticksPerSecond;
  return [ms(11), ms(12), ms(13), ms(14)];
}
