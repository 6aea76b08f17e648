// An even sample of the accepted calls for the real programs: half of them with texts beyond a plain word, if there are enough.
import type { Random } from '../random.ts';

interface Reservoir<T> {
  readonly kept: T[];
  seen: number;
}

export interface Sample<T> {
  add(value: T, isPlain: boolean): void;
  /** At most `size`. */
  drawn(): readonly T[];
}

export function sampleOf<T>(size: number, random: Random): Sample<T> {
  const plain: Reservoir<T> = { kept: [], seen: 0 };
  const special: Reservoir<T> = { kept: [], seen: 0 };
  return {
    add(value, isPlain) {
      const into = isPlain ? plain : special;
      into.seen += 1;
      if (into.kept.length < size) into.kept.push(value);
      else {
        const place = random.integer(0, into.seen - 1);
        if (place < size) into.kept[place] = value;
      }
    },
    drawn() {
      const ofSpecial = Math.max(Math.ceil(size / 2), size - plain.kept.length);
      const chosen = special.kept.slice(0, ofSpecial);
      return random.shuffle([...chosen, ...plain.kept.slice(0, size - chosen.length)]);
    },
  };
}
