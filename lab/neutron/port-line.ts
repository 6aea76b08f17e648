// Reads the port that a service chose from its log line.

import type { SetupLog } from '../../embedded/setup-log.ts';

interface PortFromLog {
  /** Log for the process. Forwards everything to the original log. */
  readonly log: SetupLog;
  /** Rejects while the line has not appeared. */
  known(): Promise<void>;
  value(): number;
}

/** `line`: its first group is the port. */
export function portFrom(log: SetupLog, line: RegExp): PortFromLog {
  let port = 0;
  return {
    log: {
      info: (message) => log.info(message),
      warn: (message) => log.warn(message),
      error: (message) => log.error(message),
      debug(message) {
        if (port === 0) port = Number(line.exec(message)?.[1] ?? 0);
        log.debug(message);
      },
    },
    async known() {
      if (port === 0) throw new Error('it has not printed its port');
    },
    value: () => port,
  };
}
