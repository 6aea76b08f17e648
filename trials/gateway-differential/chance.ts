// Random choices of the trial, all derived from seeds: choices by odds, and values that depend only on a text.
import { type Random, seededRandom } from '../random.ts';

export function chance(random: Random, odds: number): boolean {
  return random.next() < odds;
}

/** Between `least` and `most` of the values, in random order. */
export function some<T>(random: Random, values: readonly T[], least: number, most = values.length): readonly T[] {
  const count = random.integer(Math.min(least, values.length), Math.min(most, values.length));
  return random.shuffle(values).slice(0, count);
}

/** FNV-1a with a final mix, 32 bits. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  return (hash ^ (hash >>> 15)) >>> 0;
}

/** The same text always gives the same choices, in any order of calls. */
export function randomFor(text: string): Random {
  return seededRandom(hashOf(text));
}
