// Classifies errors of the database for the caller: try again, give up, or find out the outcome.

/** MariaDB's error number, wherever the driver, its pool or Prisma's adapter put it; undefined when it is not a database error. */
export function databaseErrorNumber(error: unknown): number | undefined {
  let current: unknown = error;
  for (let depth = 0; depth < 6 && typeof current === 'object' && current !== null; depth += 1) {
    const candidate = current as { errno?: unknown; cause?: unknown; meta?: { driverAdapterError?: unknown } };
    if (typeof candidate.errno === 'number' && candidate.errno > 0) return candidate.errno;
    const code = (candidate as { code?: unknown }).code;
    if (typeof code === 'number') return code;
    const original = (candidate as { originalCode?: unknown }).originalCode;
    if (typeof original === 'string' && /^\d+$/.test(original)) return Number(original);
    current = candidate.meta?.driverAdapterError ?? candidate.cause;
  }
  return undefined;
}

const duplicateKey = 1062;
const noTable: ReadonlySet<number> = new Set([1146, 1142]);
const deadlock = 1213;
const lockWaitTimeout = 1205;
const noneFree = 45028;
/** The connector's own, for a connection that was not there in time. */
const connectTimeout = 45012;
const statementTimeout = 1969;
const readOnly = new Set([1290, 1792, 1836]);
/** The server's disk is full: for a table, a temporary file or the log. */
const diskFull = new Set([3, 28, 1021, 1026, 1114, 1877]);
/** The connector's own numbers (45xxx) and the server's, for a connection that ended and for one that failed to open. */
const connectionLost = new Set([1053, 1927, 2006, 2013, 45009, 45012, 45013, 45026, 45034, 45038, 45044]);
/** Interrupted by KILL QUERY, or by a limit of time: no handler in a batch sees it, so that the step is not known. */
const interrupted = new Set([1317, 1969, 3024]);
const noConnection = new Set([1040, 1129, 2002, 2003, 45012, 45025, 45027, noneFree, 45037]);
const systemCodes = new Set(['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ENOENT', 'ETIMEDOUT', 'ENOTCONN']);

export function isDuplicateKey(error: unknown): boolean {
  return databaseErrorNumber(error) === duplicateKey || hasCode(error, 'P2002');
}

/** The table does not exist, or the account has no rights on it, which is the error for a missing table without rights on the database. */
export function isNoTable(error: unknown): boolean {
  return noTable.has(databaseErrorNumber(error) ?? 0);
}

export function isDeadlock(error: unknown): boolean {
  return databaseErrorNumber(error) === deadlock || hasCode(error, 'P2034');
}

export function isLockWaitTimeout(error: unknown): boolean {
  return databaseErrorNumber(error) === lockWaitTimeout;
}

/** The statement's data violate a constraint or do not fit their columns (SQLSTATE classes 22 and 23): it fails every time. */
export function isDataRefused(error: unknown): boolean {
  const state = (error as { readonly sqlState?: unknown } | null)?.sqlState;
  return typeof state === 'string' && /^2[23]/.test(state);
}

/** The server was demoted, or is a standby: nothing was written; a new connection may find the primary. */
export function isReadOnly(error: unknown): boolean {
  return readOnly.has(databaseErrorNumber(error) ?? 0);
}

export function isDiskFull(error: unknown): boolean {
  return error instanceof DiskFullError || diskFull.has(databaseErrorNumber(error) ?? 0);
}

/** Refused before anything was sent, because the disk of the database is full (write-guard.ts). */
export class DiskFullError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DiskFullError';
  }
}

/** The connection ended, or none could be opened. */
export function isConnectionLost(error: unknown): boolean {
  const number = databaseErrorNumber(error) ?? 0;
  if (connectionLost.has(number) || noConnection.has(number)) return true;
  // Checks the shape, not the class, because a system error may come from another realm.
  if (typeof error !== 'object' || error === null) return false;
  const { code = '', path } = error as NodeJS.ErrnoException;
  // A socket that is missing is the error's `address`; with a path, a file or a program is.
  return systemCodes.has(code) && path === undefined;
}

/** Nothing was sent: there was no connection for it. */
export function isNeverSent(error: unknown): boolean {
  return noConnection.has(databaseErrorNumber(error) ?? 0);
}

/** No connection of the pool became free, or could be made, in time. */
export function isNoneFree(error: unknown): boolean {
  return databaseErrorNumber(error) === noneFree;
}

/** A connection that could not be opened in time, although nothing was refused: the server or this machine is too busy. */
export function isSlowToOpen(error: unknown): boolean {
  if (!isNoneFree(error)) return false;
  const cause: unknown = (error as Error).cause ?? undefined;
  return cause === undefined || isConnectTimeout(cause);
}

/** A server did not answer a new connection in time. */
export function isConnectTimeout(error: unknown): boolean {
  return databaseErrorNumber(error) === connectTimeout || hasCode(error, 'ETIMEDOUT');
}

/** The server ended a statement at its limit of time (`max_statement_time`). */
export function isTooSlow(error: unknown): boolean {
  return databaseErrorNumber(error) === statementTimeout;
}

/** The fault of the migrations, for an operator. */
export class MigrationError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'MigrationError';
  }
}

/** None of the database's servers is the primary, and none became it while the request waited. Nothing was done. */
export class NoPrimaryError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NoPrimaryError';
  }
}

/** The database answers, and none of the connections to it became free in time. Nothing was done. */
export class NoConnectionFreeError extends Error {
  /** As the connector's own. */
  readonly errno = noneFree;

  constructor(cause?: unknown) {
    super('no connection to the database became free in time', { cause });
    this.name = 'NoConnectionFreeError';
  }
}

/** The database ended a user's read, which took too long. Nothing was done. */
export class ReadTooSlowError extends Error {
  constructor(cause: unknown) {
    super('a read took too long in the database and was ended', { cause });
    this.name = 'ReadTooSlowError';
  }
}

/** Nothing was done. There is no primary, or the primary was overloaded for the whole waiting time. It may be tried again soon. */
export function isBusy(error: unknown): boolean {
  return error instanceof NoPrimaryError || error instanceof NoConnectionFreeError || error instanceof ReadTooSlowError;
}

/**
 * A server's answer may be outdated, because its time as the primary had already ended. Nothing was changed, so the request may be
 * repeated.
 */
export class OutdatedError extends Error {
  /** Like a lost connection. */
  readonly code = 'ECONNRESET';

  constructor() {
    super('the server may no longer have been the primary when it answered');
    this.name = 'OutdatedError';
  }
}

/** New work was refused: commits would be on the primary only, and a strict database does without them. Nothing was done. */
export class OneCopyError extends Error {
  constructor() {
    super('no standby follows the primary, and ha.strict refuses writes with one copy');
    this.name = 'OneCopyError';
  }
}

/** The database is not available or can't write for now; the request itself is valid. */
export function isUnavailable(error: unknown): boolean {
  return (
    isConnectionLost(error) ||
    isReadOnly(error) ||
    isDiskFull(error) ||
    error instanceof CommitUncertainError ||
    error instanceof NoPrimaryError ||
    error instanceof ReadTooSlowError ||
    error instanceof OneCopyError
  );
}

/** The failed step of a batch, taken from the error message. 0 if the error does not belong to a step. */
export function failedStep(error: unknown): number {
  const message = (error as { readonly sqlMessage?: unknown } | null)?.sqlMessage;
  return Number(/^statement (\d+): /.exec(typeof message === 'string' ? message : '')?.[1] ?? 0);
}

/**
 * True if an SQL text that ends with COMMIT (COMMIT alone, or a batch) may or may not have been committed. The connection was lost,
 * the text was interrupted at an unknown step, or COMMIT failed without being refused.
 */
export function isCommitUncertain(error: unknown, sql: string): boolean {
  if (isConnectionLost(error) || interrupted.has(databaseErrorNumber(error) ?? 0)) return true;
  if (isReadOnly(error) || isDeadlock(error)) return false;
  return sql === 'COMMIT' || sql.includes(`SET batch_step = ${failedStep(error)}; COMMIT;`);
}

/** It is unknown whether a transaction was committed. */
export class CommitUncertainError extends Error {
  constructor(
    cause: unknown,
    message = 'a transaction was interrupted while it was being committed: whether it was is not known',
  ) {
    super(message, { cause });
    this.name = 'CommitUncertainError';
  }
}

/** A transaction was committed, and its work failed after that. This is a bug, but the writes stand. */
export class CommittedError extends CommitUncertainError {
  constructor(cause: unknown) {
    super(cause, 'a transaction failed after it was committed');
    this.name = 'CommittedError';
  }
}

/** A transaction was committed by a text whose answer was lost, and with it the result. */
export class ResultLostError extends CommitUncertainError {
  /** The row that proves it, and its timeline. */
  readonly record: { readonly id: string; readonly epoch: number };

  constructor(cause: unknown, record: ResultLostError['record']) {
    super(cause, 'a transaction was committed, but its result was lost');
    this.name = 'ResultLostError';
    this.record = record;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && (error as { code?: unknown }).code === code;
}
