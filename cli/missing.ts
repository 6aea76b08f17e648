// Missing arguments of a call. All are reported together, so that nobody has to try once for each option. Pure.
import type { Given } from './option.ts';
import type { Verb } from './verb.ts';

/** The end of a message: `give NAME, --driver DRIVER and --host HOST`. Undefined if nothing is missing. */
export function missingText(
  verb: Verb,
  names: readonly string[],
  given: Readonly<Record<string, Given>>,
): string | undefined {
  const neededNames = verb.takes.filter((each) => !each.startsWith('['));
  const has = new Set(Object.keys(given).filter((name) => given[name] !== undefined));
  const options = Object.entries(verb.options).filter(([name, { needed }]) => needed === true && !has.has(name));
  const missing = [
    ...neededNames.slice(names.length),
    ...options.map(([name, { value }]) => optionText(name, value)),
    ...(verb.alsoNeeds?.(has) ?? []),
  ];
  return missing.length === 0 ? undefined : `give ${inWords(missing)}`;
}

/** Notation on the command line: `--driver DRIVER`. */
export function optionText(name: string, value: string | undefined): string {
  return value === undefined ? `--${name}` : `--${name} ${value}`;
}

/** `a, b and c`. */
export function inWords(parts: readonly string[]): string {
  const last = parts.at(-1) ?? '';
  return parts.length < 2 ? last : `${parts.slice(0, -1).join(', ')} and ${last}`;
}
