// The little of a logger that the set-up code needs; a pino logger fits as it is.

export interface SetupLog {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** Drops everything: for tests and for parts whose output nobody asked for. */
export const silentLog: SetupLog = { debug() {}, info() {}, warn() {}, error() {} };
