// STICKY: weighted rendezvous hashing. Each member has a key for each client's prefix, and the smallest key wins. After a member's loss only its own
// clients move, each to its second choice. A new member takes an equal share from all others.
import type { Candidate, Step } from './step.ts';

export function stickyStep(ipv4Bits: number, ipv6Bits: number, take: number): Step {
  return {
    name: 'STICKY',
    choose(from, client) {
      const prefix = client.prefixHash(ipv4Bits, ipv6Bits);
      if (take > 1)
        return from
          .map((member) => ({ member, key: keyOf(member, prefix) }))
          .sort((one, other) => one.key - other.key)
          .map(({ member }) => member);
      let [best, least] = [0, Number.POSITIVE_INFINITY];
      for (const [at, member] of from.entries()) {
        const key = keyOf(member, prefix);
        if (key < least) [best, least] = [at, key];
      }
      const chosen = from.slice(best, best + 1);
      return chosen.concat(from.toSpliced(best, 1));
    },
    why: () => '',
  };
}

/** Above every key of a member with a weight: −ln(2⁻³³) is less than 23. */
const lastKeys = 100;

/** Exponentially distributed with the weight as its rate, so that each member's chance to have the smallest key is its share of the weights. */
function keyOf({ hash, weight }: Candidate, prefix: number): number {
  const uniform = (mixed(prefix ^ Math.imul(hash, 0x9e3779b1)) + 0.5) / 2 ** 32;
  return weight === 0 ? lastKeys + uniform : -Math.log(uniform) / weight;
}

/** The finalizer of MurmurHash3: every bit of the input changes half of the output's. */
function mixed(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
