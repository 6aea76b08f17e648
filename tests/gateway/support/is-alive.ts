/** Whether the process runs; false without one. */
export function isAlive(pid = 0): boolean {
  try {
    return pid !== 0 && process.kill(pid, 0);
  } catch {
    return false;
  }
}
