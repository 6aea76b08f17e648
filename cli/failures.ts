// Failures of commands, and the exit codes shared by all commands.

/**
 * Success; refused or failed; a difference (`diff`, `published check`); server not reached; not finished within `--wait`; wrong use (EX_USAGE of
 * sysexits.h); interrupted by a signal.
 */
export const exitCodes = {
  ...{ ok: 0, failed: 1, differs: 2, unreachable: 3, late: 4, usage: 64, interrupted: 130 },
} as const;

/** Wrong use: exit code 64, with a reference to the help. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A failure with a message for people and an exit code. No stack is printed. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly exitCode: number;

  constructor(message: string, exitCode: number = exitCodes.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Several faults of one command, each printed on a separate line. */
export class CommandFaults extends CommandFailure {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
    this.faults = faults;
  }
}

/** A signal cut the command short. The exit code is chosen in program.ts. */
export class Interruption extends CommandFailure {
  /** `more`: work that continues nevertheless, or advice. */
  constructor(more?: string) {
    super(more === undefined ? 'interrupted' : `interrupted: ${more}`, exitCodes.interrupted);
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
