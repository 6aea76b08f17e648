// SIGHUP. It ends a program on a terminal, because the terminal was closed. A program without a terminal, such as a service, switches to the graph
// that its settings describe now.
import { closeSync, openSync } from 'node:fs';
import type { RunningProcess } from '../compose/process.ts';

let onReload: (() => void) | undefined;

/** From now on SIGHUP reloads the graph of `running`, if it has one, unless this process is on a terminal. */
export function reloadOnHangUp({ reload }: Pick<RunningProcess, 'reload'>): void {
  if (hasTerminal()) return;
  // It logs its result, or the reason for a refusal.
  onReload = () => void reload?.().catch(() => undefined);
}

/** False if the program should end. */
export function takesHangUp(): boolean {
  onReload?.();
  return onReload !== undefined;
}

/** Whether a terminal controls the process, regardless of its input and output. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}
