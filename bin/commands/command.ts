// What a command of the `tidegate` program is: listed in table.ts. Help, parsing and exit codes all come
// from here, so that every command behaves alike.
import type { Writable } from 'node:stream';
import { parseArgs } from 'node:util';

/** Exit codes: carried out; refused or failed; wrong use; server not reached. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, unreachable: 3 } as const;

/** Standard output or error; a terminal also says how wide it is. */
export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number };

export interface CommandContext {
  /** What follows the command's name. */
  readonly args: readonly string[];
  readonly stdout: Output;
  readonly stderr: Output;
  /** Aborted by Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** An option; `value` names its argument in the help, and is left out for a switch. */
export interface CommandOption {
  readonly help: string;
  readonly value?: string;
  readonly short?: string;
  readonly multiple?: boolean;
}

export interface Command {
  readonly name: string;
  /** What follows `tidegate`, one form a line. */
  readonly usage: string;
  /** By long name, without the dashes. `--help` is added to each. */
  readonly options: Readonly<Record<string, CommandOption>>;
  /** Resolves with the exit code. Throw UsageError for wrong use; CommandFailure for the rest. */
  run(context: CommandContext): Promise<number>;
}

/** A line of the table: the command itself is loaded only when it is used, for some bring the whole system with them. */
export interface CommandEntry {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  load(): Promise<Command>;
}

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

/** The options of one call of a command, read by name. */
export class Arguments {
  readonly positionals: readonly string[];
  readonly #values: Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;

  /** Throws UsageError for an option that the command does not have, or one without its value. */
  constructor(command: Pick<Command, 'options'>, args: readonly string[]) {
    const options = Object.fromEntries(
      Object.entries(command.options).map(([name, option]) => [
        name,
        {
          type: option.value === undefined ? ('boolean' as const) : ('string' as const),
          ...(option.short === undefined ? {} : { short: option.short }),
          ...(option.multiple === undefined ? {} : { multiple: option.multiple }),
        },
      ]),
    );
    try {
      const parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
      this.#values = parsed.values;
      this.positionals = parsed.positionals;
    } catch (error) {
      throw new UsageError(error instanceof Error ? error.message : String(error));
    }
  }

  text(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === 'string' ? value : undefined;
  }

  /** Throws UsageError when it was not given. */
  requiredText(name: string): string {
    const value = this.text(name);
    if (value === undefined) throw new UsageError(`--${name} is needed`);
    return value;
  }

  texts(name: string): readonly string[] {
    const value = this.#values[name];
    return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
  }

  flag(name: string): boolean {
    return this.#values[name] === true;
  }

  /** A whole number within bounds; throws UsageError otherwise. */
  integer(name: string, bounds: { readonly min: number; readonly max: number }): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!/^-?\d+$/.test(text) || value < bounds.min || value > bounds.max) {
      throw new UsageError(`--${name} must be a whole number from ${bounds.min} to ${bounds.max}, not '${text}'`);
    }
    return value;
  }
}
