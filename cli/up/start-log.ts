// The log of a start: JSON lines in a file of the data folder, and short texts for the person at the terminal.
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BoundedFile } from '../../embedded/bounded-file.ts';
import { createLogger, type Logger, readable } from '../../platform/log/log.ts';
import type { Config } from '../../platform/process/config.ts';
import type { Output } from '../verb.ts';
import { terminalWarnings } from './terminal-warnings.ts';

interface StartLogOptions {
  readonly config: Pick<Config, 'log.level' | 'log.format'>;
  /** Prints the log instead of the short texts. */
  readonly shows: boolean;
  readonly stdout: Output;
}

interface StartLog {
  readonly path: string;
  readonly log: Logger;
}

export function logFileIn(dataPath: string): string {
  return join(dataPath, 'logs', 'tidegate.log');
}

/** The data folder must belong to this process. Lines are written before a call of the log returns. */
export function openStartLog(dataPath: string, { config, shows, stdout }: StartLogOptions): StartLog {
  const path = logFileIn(dataPath);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const told = terminalWarnings(stdout);
  // The person at the terminal has to know, because the log itself can't report it.
  const onFault = (error: unknown) =>
    told.write(JSON.stringify({ level: 40, msg: `the log file can't be written: ${String(error)}` }));
  const file = new BoundedFile(path, { onFault });
  const shown = shows ? shownLog(config, stdout) : told;
  const destination = {
    write(line: string) {
      file.write(line);
      shown.write(line);
    },
  };
  return { path, log: createLogger({ level: config['log.level'], pretty: false, destination }) };
}

/** The format of `serve`. */
function shownLog({ 'log.format': format }: StartLogOptions['config'], stdout: Output): { write(line: string): void } {
  const isPretty = format === 'pretty' || (format === 'auto' && stdout.isTTY === true);
  return isPretty ? readable(stdout) : { write: (line) => void stdout.write(line) };
}
