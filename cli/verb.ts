// The commands of `tidegate`. A noun has verbs (`backends list`). Commands for the program, or for all kinds, are a verb alone (`up`).
import type { Readable, Writable } from 'node:stream';
import type { Options, Values } from './option.ts';

/** Standard output or error. A terminal also has a width. */
export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number };

export const outputFormats = ['json', 'yaml', 'wide', 'name', 'table'] as const;
export type OutputFormat = (typeof outputFormats)[number];

export interface Surroundings {
  readonly stdout: Output;
  readonly stderr: Output;
  /** Standard input. Opened only by a verb that reads it. */
  readonly stdin?: (() => Readable) | undefined;
  /** Aborts after Ctrl-C, SIGTERM or SIGHUP. */
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Lets other programs on this machine go first. */
  readonly goLast?: () => void;
  /** From `-o`. Undefined for a table with short ids, as wide as the terminal. */
  readonly output?: OutputFormat | undefined;
}

/** One call of a verb. */
export interface Call<O extends Options = Options, N extends readonly string[] = readonly string[]>
  extends Surroundings {
  readonly options: Values<O>;
  readonly names: Names<N>;
}

/**
 * One text for each positional argument. An optional one, `[ID]`, may have none, and a last one, `COMMAND...`, several. `[COMMAND...]` may have none.
 */
export type Names<N extends readonly string[]> = {
  readonly [Index in keyof N]: N[Index] extends `[${string}...]`
    ? readonly string[]
    : N[Index] extends `[${string}]`
      ? string | undefined
      : N[Index] extends `${string}...`
        ? readonly string[]
        : string;
};

export interface Verb<O extends Options = Options, N extends readonly string[] = readonly string[]> {
  /** One line that begins with a verb. */
  readonly summary: string;
  /** Prerequisites for the help: a sentence or a step on each line. */
  readonly about?: readonly string[];
  /** Complete command lines, for its help. */
  readonly examples?: readonly string[];
  /** Page of the docs with more, for the help. */
  readonly page?: string;
  /** Names of the positional arguments, for example NAME, or [ID] for an optional one. */
  readonly takes: N;
  /** Fields of its input that the first argument fills in, in addition to the name and the id. */
  readonly named?: readonly string[];
  readonly options: O;
  /**
   * Further missing requirements in words, in addition to the options that are always required. `given`: names of the options on the command line.
   */
  alsoNeeds?(given: ReadonlySet<string>): readonly string[];
  /** It runs until its user interrupts it, so a signal is its usual end. Default: a signal cuts it short. */
  readonly endsBySignal?: true;
  /** It may be abandoned after a signal, for example while it reads a pipe, because it has nothing to finish on this machine. */
  readonly mayBeLeft?: true;
  /** It works beside those who serve calls on this machine, and gets the processor after them. */
  readonly goesLast?: true;
  /** Throws UsageError for wrong use, and CommandFailure for failures. */
  run(call: Call<O, N>): Promise<void>;
}

/** The verbs of a noun, by name. */
export type Noun = Readonly<Record<string, Verb>>;

/** A line of the table. The module is loaded on demand, because some import the whole system. */
export interface Entry<Loaded> {
  readonly summary: string;
  /** A shorter word for a noun, in addition to its singular. */
  readonly short?: string;
  /** Other words for a verb that stands alone. */
  readonly also?: readonly string[];
  /** Heading in the help, for this line and the following ones. */
  readonly group?: string;
  /** Not shown in the help, because only other programs call it. */
  readonly hidden?: true;
  load(): Promise<Loaded>;
}

/** A verb that needs no running Tidegate. Infers the types of its call from its options and arguments. */
export function localVerb<O extends Options, const N extends readonly string[]>(verb: Verb<O, N>): Verb {
  return verb as unknown as Verb;
}
