// How many answers a network gets: an address in a UDP packet may be forged, and the answers would go to its owner. Like answers to one
// network (IPv4 /24, IPv6 /56) share a bucket. The table has a fixed size; a bucket of another network is taken over, so that a flood
// from many networks costs others their limit, never memory.

export interface RateLimit {
  readonly answersPerSecond: number;
  /** One answer in so many that are too many is a truncated one, by which a real client comes back over TCP. */
  readonly slip: number;
}

type Allowed = 'ANSWER' | 'SLIP' | 'DROP';

const slots = 1 << 16;

export class RateLimiter {
  readonly #limit: RateLimit;
  readonly #owners = new Int32Array(slots);
  readonly #tokens = new Float32Array(slots);
  readonly #filledMs = new Float64Array(slots);
  readonly #refused = new Uint32Array(slots);

  constructor(limit: RateLimit) {
    this.#limit = limit;
  }

  /** `kind`: a number for all like answers. `atMs`: of a clock that only rises. */
  allow(address: Buffer, kind: number, atMs: number): Allowed {
    const { answersPerSecond, slip } = this.#limit;
    const owner = hashOf(address, kind);
    const slot = (owner ^ (owner >>> 16)) & (slots - 1);
    if (this.#owners[slot] !== owner) {
      this.#owners[slot] = owner;
      this.#tokens[slot] = answersPerSecond;
      this.#refused[slot] = 0;
    } else {
      const filled = ((atMs - (this.#filledMs[slot] as number)) * answersPerSecond) / 1_000;
      this.#tokens[slot] = Math.min(answersPerSecond, (this.#tokens[slot] as number) + filled);
    }
    this.#filledMs[slot] = atMs;
    const tokens = this.#tokens[slot] as number;
    if (tokens >= 1) {
      this.#tokens[slot] = tokens - 1;
      return 'ANSWER';
    }
    const refused = (this.#refused[slot] as number) + 1;
    this.#refused[slot] = refused;
    return refused % slip === 0 ? 'SLIP' : 'DROP';
  }
}

/** FNV-1a of the network's bytes and the kind. */
function hashOf(address: Buffer, kind: number): number {
  let hash = 0x811c9dc5 ^ kind;
  const length = address.length === 4 ? 3 : 7;
  for (let at = 0; at < length; at += 1) hash = Math.imul(hash ^ (address[at] as number), 0x01000193);
  return Math.imul(hash ^ (kind >>> 8), 0x01000193);
}
