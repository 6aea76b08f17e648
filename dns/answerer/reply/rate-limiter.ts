// Limits answers to a network without a proven address: an address in a UDP packet may be forged, and its owner would get the answers. Answers to one
// network (IPv4 /24, IPv6 /56) share a bucket, and like answers to it another one. Both tables have a fixed size. A bucket is taken over by another
// network only when it is full again; until then both share it. So a flood from many networks costs others whole answers, and never lifts a limit or
// takes memory.

export interface AnswerLimit {
  /** Identical answers to one network. */
  readonly answersPerSecond: number;
  /** All answers to one network. */
  readonly totalPerSecond: number;
  /** One in this many excess answers is sent truncated, so that a real client retries over TCP. */
  readonly slip: number;
  /** An answer has at most so many times the bytes of its question. */
  readonly amplification: number;
}

export const usualLimit: AnswerLimit = { answersPerSecond: 20, totalPerSecond: 200, slip: 2, amplification: 6 };

type Allowed = 'ANSWER' | 'SLIP' | 'DROP';

export class RateLimiter {
  readonly #slip: number;
  readonly #like: Buckets;
  readonly #all: Buckets;

  constructor({ answersPerSecond, totalPerSecond, slip }: AnswerLimit) {
    this.#slip = slip;
    this.#like = new Buckets(answersPerSecond);
    this.#all = new Buckets(totalPerSecond);
  }

  /** `kind`: the same number for all equal answers. `atMs`: time of a monotonic clock. */
  allow(address: Buffer, kind: number, atMs: number): Allowed {
    const network = hashOf(address);
    const all = this.#all.slotOf(network, atMs);
    const like = this.#like.slotOf(mixed(network ^ Math.imul(kind, 0x9e3779b1)), atMs);
    if (this.#all.has(all) && this.#like.has(like)) {
      this.#all.take(all);
      this.#like.take(like);
      return 'ANSWER';
    }
    return this.#all.refuse(all) % this.#slip === 0 ? 'SLIP' : 'DROP';
  }
}

const slots = 1 << 16;

class Buckets {
  readonly #perSecond: number;
  readonly #owners = new Int32Array(slots);
  readonly #tokens: Float32Array;
  readonly #filledMs = new Float64Array(slots);
  readonly #refused = new Uint32Array(slots);

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#tokens = new Float32Array(slots).fill(perSecond);
  }

  /** Two slots are possible. Prefers the owner's own, then a full bucket, and finally shares the fuller one. */
  slotOf(owner: number, atMs: number): number {
    const [one, other] = [owner & (slots - 1), owner >>> 16];
    if (this.#owners[one] === owner) return this.#fill(one, atMs);
    if (this.#owners[other] === owner) return this.#fill(other, atMs);
    this.#fill(one, atMs);
    this.#fill(other, atMs);
    const slot = (this.#tokens[one] as number) >= (this.#tokens[other] as number) ? one : other;
    if ((this.#tokens[slot] as number) >= this.#perSecond) {
      this.#owners[slot] = owner;
      this.#refused[slot] = 0;
    }
    return slot;
  }

  has(slot: number): boolean {
    return (this.#tokens[slot] as number) >= 1;
  }

  take(slot: number): void {
    this.#tokens[slot] = (this.#tokens[slot] as number) - 1;
  }

  /** Returns how often that was since somebody took the bucket over. */
  refuse(slot: number): number {
    const refused = (this.#refused[slot] as number) + 1;
    this.#refused[slot] = refused;
    return refused;
  }

  #fill(slot: number, atMs: number): number {
    const filled = ((atMs - (this.#filledMs[slot] as number)) * this.#perSecond) / 1_000;
    this.#tokens[slot] = Math.min(this.#perSecond, (this.#tokens[slot] as number) + filled);
    this.#filledMs[slot] = atMs;
    return slot;
  }
}

/** FNV-1a of the network's bytes. */
function hashOf(address: Buffer): number {
  let hash = 0x811c9dc5;
  const length = address.length === 4 ? 3 : 7;
  for (let at = 0; at < length; at += 1) hash = Math.imul(hash ^ (address[at] as number), 0x01000193);
  return mixed(hash);
}

/** Each bit of the input changes both halves (the end of MurmurHash3). */
function mixed(input: number): number {
  let hash = Math.imul(input ^ (input >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
