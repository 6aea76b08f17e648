// The logger interface of the set-up code; a pino logger implements it.

export interface SetupLog {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** Drops everything: for tests and for parts without wanted output. */
export const silentLog: SetupLog = { debug() {}, info() {}, warn() {}, error() {} };
