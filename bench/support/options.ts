// Options of benchmarks.
import type { BenchContext } from '../bench.ts';

/** A whole number above zero; throws when it is something else. */
export function wholeNumber(options: BenchContext['options'], name: string, byDefault: number): number {
  const text = options[name];
  if (text === undefined) return byDefault;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new Error(`--${name} ${text}: give a whole number of at least 1, for example ${byDefault}`);
  return value;
}
