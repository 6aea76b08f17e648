// Random changes of the wanted ring. Clusters are added, are removed, and get other weights and zones.
import type { RingWish } from '../../../platform/rings/next-ring.ts';
import type { RingMember } from '../../../platform/rings/ring.ts';
import type { Random } from '../../../trials/random.ts';

const mostMembers = 12;
const zones = ['a', 'b', 'c', 'd'];

export class RandomWishes {
  readonly #random: Random;
  #members: RingMember[];
  #last = 4;

  constructor(random: Random) {
    this.#random = random;
    this.#members = [1, 2, 3, 4].map((cluster) => ({ cluster, weight: 1, zone: random.pick(zones) }));
  }

  get wish(): RingWish {
    return { members: [...this.#members], replicas: 3 };
  }

  next(): RingWish {
    const random = this.#random;
    const kind = random.pick(['come', 'go', 'weight', 'zone'] as const);
    const at = random.integer(0, this.#members.length - 1);
    const [weight, zone] = [random.integer(1, 10), random.pick(zones)];
    if (kind === 'come' && this.#members.length < mostMembers) {
      this.#last += 1;
      this.#members.push({ cluster: this.#last, weight, zone });
    } else if (kind === 'go' && this.#members.length > 1) this.#members.splice(at, 1);
    else
      this.#members = this.#members.map((member, place) =>
        place === at ? { ...member, ...(kind === 'zone' ? { zone } : { weight }) } : member,
      );
    return this.wish;
  }
}
