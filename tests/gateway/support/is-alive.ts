/** Whether the process runs. False without a pid. */
export function isAlive(pid = 0): boolean {
  try {
    return pid !== 0 && process.kill(pid, 0);
  } catch {
    return false;
  }
}
