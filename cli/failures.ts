// How a command ends when it fails, and the exit codes shared by all commands.

/** Success; refused or failed; wrong use; server not reached; not done within `--wait`. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, unreachable: 3, late: 4 } as const;

/** Wrong use: exit code 2, with a pointer to the help. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A failure with a message for people and an exit code; no stack is printed. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly exitCode: number;

  constructor(message: string, exitCode: number = exitCodes.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** A failure that another process has already reported. */
export class SilentFailure extends Error {
  override readonly name = 'SilentFailure';
  readonly exitCode: number;

  constructor(exitCode: number) {
    super();
    this.exitCode = exitCode;
  }
}
