// The log: JSON lines, or readable ones on a terminal. The request id travels by AsyncLocalStorage, so every line of a request
// has it without passing it on.

import { AsyncLocalStorage } from 'node:async_hooks';
import { createRequire } from 'node:module';
import { type DestinationStream, type Logger, pino } from 'pino';
import { secretNames } from '../values/secret-names.ts';

export type { Logger } from 'pino';

interface LogOptions {
  /** trace, debug, info, warn, error, fatal or silent. */
  readonly level: string;
  /** Readable lines instead of JSON. */
  readonly pretty: boolean;
  /** Which process or role writes. */
  readonly name?: string;
  /** Further paths whose values are hidden, beside the standard ones. */
  readonly redact?: readonly string[];
  /** Where the lines go; default standard output. */
  readonly destination?: DestinationStream;
}

const require = createRequire(import.meta.url);
const requestIds = new AsyncLocalStorage<string>();

const alwaysRedacted = secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

/** Makes the logger of a process. */
export function createLogger(options: LogOptions): Logger {
  const settings = {
    level: options.level,
    ...(options.name === undefined ? {} : { name: options.name }),
    mixin: () => {
      const requestId = requestIds.getStore();
      return requestId === undefined ? {} : { requestId };
    },
    redact: { paths: [...alwaysRedacted, ...(options.redact ?? [])], censor: '•••' },
  };
  const destination = options.destination ?? process.stdout;
  return pino(settings, options.pretty ? readable(destination) : destination);
}

/** Takes JSON lines, and writes readable ones. */
export function readable(destination: NodeJS.WritableStream | DestinationStream): DestinationStream {
  // Services, which write JSON, do not load it.
  const pretty = require('pino-pretty') as typeof import('pino-pretty');
  // A stream in this thread, not a worker: lines written right before a crash must appear.
  return pretty({ sync: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l', destination });
}

/** Runs `work` (and everything that it awaits) under a request id. */
export function withRequestId<T>(requestId: string, work: () => T): T {
  return requestIds.run(requestId, work);
}

/** The id of the current request; undefined outside of one. */
export function currentRequestId(): string | undefined {
  return requestIds.getStore();
}
