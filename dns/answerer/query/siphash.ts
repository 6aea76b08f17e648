// SipHash-2-4 (Aumasson and Bernstein, 2012), the pseudorandom function of server cookies (RFC 9018 section 4.4). 64-bit words are pairs of
// 32-bit ones: a BigInt costs ten times as much.

/** `key`: 16 bytes. Returns 8 bytes, as they go on the wire (little-endian). */
export function sipHash24(key: Buffer, message: Buffer): Buffer {
  const [k0l, k0h, k1l, k1h] = [0, 4, 8, 12].map((at) => key.readInt32LE(at)) as [number, number, number, number];
  // Words 0 to 3, the low half before the high one.
  const v = new Int32Array([
    ...[k0l ^ 0x70736575, k0h ^ 0x736f6d65, k1l ^ 0x6e646f6d, k1h ^ 0x646f7261],
    ...[k0l ^ 0x6e657261, k0h ^ 0x6c796765, k1l ^ 0x79746573, k1h ^ 0x74656462],
  ]);
  const whole = message.length & ~7;
  const last = Buffer.alloc(8);
  message.copy(last, 0, whole);
  last[7] = message.length & 0xff;
  for (let at = 0; at <= whole; at += 8) {
    const [from, offset] = at < whole ? [message, at] : [last, 0];
    const [low, high] = [from.readInt32LE(offset), from.readInt32LE(offset + 4)];
    mix(v, 3, low, high);
    round(v);
    round(v);
    mix(v, 0, low, high);
  }
  mix(v, 2, 0xff, 0);
  for (let count = 0; count < 4; count += 1) round(v);
  const hash = Buffer.alloc(8);
  hash.writeInt32LE(at(v, 0) ^ at(v, 2) ^ at(v, 4) ^ at(v, 6), 0);
  hash.writeInt32LE(at(v, 1) ^ at(v, 3) ^ at(v, 5) ^ at(v, 7), 4);
  return hash;
}

function round(v: Int32Array): void {
  add(v, 0, 1);
  rotate(v, 1, 13);
  mix(v, 1, at(v, 0), at(v, 1));
  swap(v, 0);
  add(v, 2, 3);
  rotate(v, 3, 16);
  mix(v, 3, at(v, 4), at(v, 5));
  add(v, 0, 3);
  rotate(v, 3, 21);
  mix(v, 3, at(v, 0), at(v, 1));
  add(v, 2, 1);
  rotate(v, 1, 17);
  mix(v, 1, at(v, 4), at(v, 5));
  swap(v, 2);
}

function at(v: Int32Array, index: number): number {
  return v[index] as number;
}

function mix(v: Int32Array, word: number, low: number, high: number): void {
  v[2 * word] = at(v, 2 * word) ^ low;
  v[2 * word + 1] = at(v, 2 * word + 1) ^ high;
}

function add(v: Int32Array, to: number, from: number): void {
  const low = (at(v, 2 * to) >>> 0) + (at(v, 2 * from) >>> 0);
  v[2 * to + 1] = at(v, 2 * to + 1) + at(v, 2 * from + 1) + (low > 0xffffffff ? 1 : 0);
  v[2 * to] = low;
}

/** Rotates left by less than 32 bits. */
function rotate(v: Int32Array, word: number, bits: number): void {
  const [low, high] = [at(v, 2 * word), at(v, 2 * word + 1)];
  v[2 * word] = (low << bits) | (high >>> (32 - bits));
  v[2 * word + 1] = (high << bits) | (low >>> (32 - bits));
}

/** Rotates by 32 bits. */
function swap(v: Int32Array, word: number): void {
  const low = at(v, 2 * word);
  v[2 * word] = at(v, 2 * word + 1);
  v[2 * word + 1] = low;
}
