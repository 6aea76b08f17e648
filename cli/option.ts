// Options of the command line: each with its value, its help text, and its parsed form. Options shared by several verbs are defined once.
import { readTime } from '../platform/values/calendar-time.ts';
import { nearestName } from '../platform/values/nearest-name.ts';
import { UsageError } from './failures.ts';

/** As given on the command line: a switch, a text, or the texts of a repeated option. */
export type Given = true | string | readonly string[] | undefined;

export interface Option<Value> {
  readonly help: string;
  /** Name of its argument in the help. Absent for a switch. */
  readonly value?: string;
  readonly short?: string;
  /** Its argument may be left out. */
  readonly bare?: true;
  readonly repeated?: true;
  readonly needed?: true;
  /** Another spelling of its name, which the help does not show. */
  readonly also?: string;
  /** It is accepted, but not shown in the help. */
  readonly hidden?: true;
  /** Heading in the help. */
  readonly group?: string;
  /** Paths of the input fields that get its value, if their names differ: `pools.members`. */
  readonly fields?: readonly string[];
  /** All accepted words, if there is a fixed set. */
  readonly words?: readonly string[] | undefined;
  /** `name`: with its dashes, for messages. Throws UsageError. */
  read(given: Given, name: string): Value;
}

/** Keyed by long name, without the dashes. */
export type Options = Readonly<Record<string, Option<unknown>>>;

/** The parsed options of a verb. */
export type Values<O extends Options> = {
  readonly [Name in keyof O]: O[Name] extends Option<infer Value> ? Value : never;
};

export function flag(help: string, more: { readonly short?: string } = {}): Option<boolean> {
  return { help, ...more, read: (given) => given === true };
}

export function text(value: string, help: string): Option<string | undefined> {
  return { help, value, read: textOf };
}

export function neededText(value: string, help: string): Option<string> {
  return { help, value, needed: true, read: (given) => textOf(given) ?? '' };
}

/** Reads one value. Throws UsageError. */
type Reader<Value> = ((text: string, name: string) => Value) & { readonly words?: readonly string[] };

/** May be repeated. Each value is read separately. */
export function several<Value = string>(
  value: string,
  help: string,
  readOne: Reader<Value> = (text) => text as Value,
): Option<readonly Value[]> {
  return {
    help: `${help} May be repeated.`,
    value,
    repeated: true,
    words: readOne.words,
    read: (given, name) => (Array.isArray(given) ? given.map((each: string) => readOne(each, name)) : []),
  };
}

/** A whole number within bounds. */
export function integer(
  value: string,
  help: string,
  { least, most }: { readonly least: number; readonly most: number },
): Option<number | undefined> {
  return one(value, help, (given, name) => {
    const number = Number(given);
    if (/^-?\d+$/.test(given) && number >= least && number <= most) return number;
    throw new UsageError(`${name} must be a whole number from ${least} to ${most}, not '${given}'`);
  });
}

/** A time in ISO 8601, in UTC. */
export function time(help: string): Option<string | undefined> {
  return one('TIME', help, (given, name) => {
    const date = readTime(/^\d{4}-\d{2}-\d{2}$/.test(given) ? `${given}T00:00:00Z` : given);
    if (date !== undefined) return date.toISOString();
    throw new UsageError(`${name}: '${given}' is not a time such as 2026-01-31T00:00:00Z`);
  });
}

/** One of some words, in any case. */
export function choice<const Value extends string>(
  value: string,
  known: readonly Value[],
  help: string,
): Option<Value | undefined> {
  return one(value, help, chosenFrom(known));
}

/** One of some words. The option alone means the first of them. */
export function choiceOrFirst<const Value extends string>(
  value: string,
  known: readonly [Value, ...Value[]],
  help: string,
): Option<Value | undefined> {
  const readOne = chosenFrom(known);
  const read = (given: Given, name: string) =>
    given === true ? known[0] : typeof given === 'string' ? readOne(given, name) : undefined;
  return { help, value, bare: true, words: known, read };
}

export function chosenFrom<const Value extends string>(known: readonly Value[]): Reader<Value> {
  const read = (given: string, name: string): Value => {
    const value = known.find((each) => each.toUpperCase() === given.toUpperCase());
    if (value !== undefined) return value;
    const near = nearestName(given, known);
    throw new UsageError(
      `${name} must be one of ${known.join(', ')}, not '${given}'${near === undefined ? '' : `; ${near} is near`}`,
    );
  };
  return Object.assign(read, { words: known });
}

/** A text with a meaning. */
export function one<Value>(value: string, help: string, read: Reader<Value>): Option<Value | undefined> {
  return {
    help,
    value,
    words: read.words,
    read: (given, name) => (typeof given === 'string' ? read(given, name) : undefined),
  };
}

/** The same option, with the fields that get its value. */
export function giving<Value>(fields: readonly string[], option: Option<Value>): Option<Value> {
  return { ...option, fields };
}

/** The same option as a required one. */
export function needed<Value>(option: Option<Value | undefined>): Option<Value> {
  return { ...option, needed: true, read: (given, name) => option.read(given, name) as Value };
}

function textOf(given: Given): string | undefined {
  return typeof given === 'string' ? given : undefined;
}
