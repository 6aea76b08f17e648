// Logs of a host's processes, in a file of bounded size; the previous one is kept.
import { appendFileSync, renameSync, statSync } from 'node:fs';
import type { SetupLog } from '../../embedded/setup-log.ts';

const mostBytes = 8 * 1024 * 1024;

/** Warnings and errors of the machine's side also go to `told`. */
export function hostLog(path: string, told: SetupLog): SetupLog {
  const write = (message: string) => {
    try {
      if (sizeOf(path) > mostBytes) renameSync(path, `${path}.1`);
      appendFileSync(path, `${message}\n`, { mode: 0o600 });
    } catch (error) {
      told.debug(`${path}: ${String(error)}`);
    }
  };
  const both = (level: 'info' | 'warn' | 'error') => (message: string) => {
    write(message);
    told[level](message);
  };
  return { debug: write, info: both('info'), warn: both('warn'), error: both('error') };
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
