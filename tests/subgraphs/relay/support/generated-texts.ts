// Texts of random pieces, some of them hostile, for tests that a device takes each text as one value.
// TIDEGATE_TEST_SEED repeats a run.
import { randomInt } from 'node:crypto';
import { type Random, seededRandom } from '../../../../trials/random.ts';

export const seed = Number(process.env.TIDEGATE_TEST_SEED ?? randomInt(2 ** 31));

/** Makes the same choices for the same seed. */
export const random: Random = seededRandom(seed);

const harmless = 'abzAZ059_.-';
const signs = " '`$;|&<>(){}[]*?!#~%^=+,:@/\\äß漢😀";
const hidden = ['"', '\n', '\u0000', '\u202e', '\u2028', '$(id)', '`id`'];

/** The pieces of a text: only harmless ones, or also hostile ones. `more`: pieces that are hostile to this device. */
export const pieces = {
  tame: [...harmless],
  wild: (more: readonly string[] = []) => [...harmless, ...signs, ...hidden, ...more],
};

export function text(from: readonly string[], most: number): string {
  return Array.from({ length: random.integer(1, most) }, () => random.pick(from)).join('');
}
