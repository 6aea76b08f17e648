// The kinds of options that a trial has besides its counts. Each knows its default and refuses wrong values.
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArgumentError } from '../measure/arguments.ts';

interface OptionContext {
  /** As on the command line: `--only`. */
  readonly name: string;
  readonly progress: (line: string) => void;
  /** Runs when the trial has ended. */
  readonly cleanup: AsyncDisposableStack;
}

export interface TrialOption<Value> {
  readonly help: string;
  /** `given`: the text on the command line, undefined without the option. Throws ArgumentError. */
  readonly read: (given: string | undefined, context: OptionContext) => Value | Promise<Value>;
}

/** A working folder: a new one, which is removed at the end, unless the option names one, which is kept. */
export function folderOption(contents: string): TrialOption<string> {
  return {
    help: `keeps ${contents} in this folder (default: a temporary one)`,
    async read(given, { cleanup, progress }) {
      const folder = given ?? (await mkdtemp(join(tmpdir(), 'tidegate-trial-')));
      if (given === undefined) {
        cleanup.defer(() => rm(folder, { recursive: true, force: true }));
        // The folder is accessible to the user of the embedded servers.
        await chmod(folder, 0o711);
      } else await mkdir(folder, { recursive: true });
      progress(`${contents}: in ${folder}`);
      return folder;
    },
  };
}

/** One of the names. */
export function oneOf<const Name extends string>(help: string, names: readonly Name[], usual: Name): TrialOption<Name> {
  return {
    help: `${help}: ${names.join(', ')} (${usual})`,
    read: (given, { name }) => (given === undefined ? usual : nameOf(given, names, name)),
  };
}

/** Some of the names, in the given order. */
export function someOf<const Name extends string>(help: string, names: readonly Name[]): TrialOption<readonly Name[]> {
  return {
    help: `${help}, separated by commas: ${names.join(', ')} (all)`,
    read: (given, { name }) => given?.split(',').map((each) => nameOf(each, names, name)) ?? names,
  };
}

/** Some entries of a table, by their names, in the given order. */
export function entriesOf<Value>(
  help: string,
  table: Readonly<Record<string, Value>>,
): TrialOption<Readonly<Record<string, Value>>> {
  const names = someOf(help, Object.keys(table));
  return {
    help: names.help,
    async read(given, context) {
      const chosen = await names.read(given, context);
      return Object.fromEntries(chosen.map((name) => [name, table[name] as Value]));
    },
  };
}

/** A whole number that is no amount of work: giving it leaves the time limit of the run as it is. */
export function wholeNumber(help: string, usual: number): TrialOption<number> {
  return {
    help: `${help} (${usual})`,
    read(given, { name }) {
      if (given === undefined) return usual;
      if (/^[1-9]\d*$/.test(given) && Number.isSafeInteger(Number(given))) return Number(given);
      throw new ArgumentError(`${name} must be a whole number of at least 1, not '${given}'`);
    },
  };
}

function nameOf<Name extends string>(given: string, names: readonly Name[], option: string): Name {
  const found = names.find((each) => each === given);
  if (found === undefined) throw new ArgumentError(`${option}: '${given}' is not one of ${names.join(', ')}`);
  return found;
}
