// SIGHUP. A program on a terminal ends with it: the terminal was closed. One that runs in the background, such as a service, takes over the
// graph that its settings describe now.
import type { RunningProcess } from '../compose/process.ts';

let onReload: (() => void) | undefined;

/** From now on SIGHUP reloads the graph of `running`, if it has one. */
export function reloadOnHangUp({ reload }: Pick<RunningProcess, 'reload'>): void {
  // It logs what it did, and why it refused.
  onReload = () => void reload?.().catch(() => undefined);
}

/** False: the program should end. */
export function takesHangUp(): boolean {
  if (onReload === undefined || hasTerminal()) return false;
  onReload();
  return true;
}

function hasTerminal(): boolean {
  return [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY === true);
}
