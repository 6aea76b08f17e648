// The port that a service chose, from the line in which it says so.

import type { SetupLog } from '../../embedded/setup-log.ts';

export interface PortFromLog {
  /** Give it to the process; everything goes on to the log that is behind it. */
  readonly log: SetupLog;
  /** Rejects until the line has come. */
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
