// Logs of a host's processes, in a file of bounded size; the previous one is kept.
import { BoundedFile } from '../../embedded/bounded-file.ts';
import type { SetupLog } from '../../embedded/setup-log.ts';

/** `told`: also gets warnings and errors of the machine's side. */
export function hostLog(path: string, told: SetupLog): SetupLog {
  const file = new BoundedFile(path, { onFault: (error) => told.debug(`${path}: ${String(error)}`) });
  const write = (message: string) => file.write(`${message}\n`);
  const both = (level: 'info' | 'warn' | 'error') => (message: string) => {
    write(message);
    told[level](message);
  };
  return { debug: write, info: both('info'), warn: both('warn'), error: both('error') };
}
