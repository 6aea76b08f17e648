// The only error class of the set-up code (data folder, embedded servers, lab). Its message is shown to a person unchanged, so it
// always says what was wrong, with which value, and what to do.

type SetupErrorCode =
  | 'DATABASE_GONE'
  | 'DATA_FOLDER_FOREIGN'
  | 'DATA_FOLDER_IN_USE'
  | 'DATA_FOLDER_NEWER'
  | 'DATA_FOLDER_UNWRITABLE'
  | 'DISK_FULL'
  | 'PROGRAM_MISSING'
  | 'RIGHTS_NOT_DROPPED'
  | 'SERVER_START_FAILED'
  | 'SOCKET_PATH_TOO_LONG';

export class SetupError extends Error {
  readonly code: SetupErrorCode;

  constructor(code: SetupErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SetupError';
    this.code = code;
  }
}

/**
 * The `code` of a system error (`ENOENT`, `EACCES`, …), or undefined for anything else. It checks the shape: in a test's realm,
 * Node's own errors are not `instanceof Error`.
 */
export function systemErrorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
