// CRC-64/NVME (NVM Express NVM Command Set Specification 1.0, section 5.2.1.3.4): reflected, both ends inverted. Eight bytes at a time,
// in halves of 32 bits, because integers of 64 bits are slow in JavaScript.

/** The reflected polynomial 0x9a6c9329ac4bc9b5. */
const [polynomialHigh, polynomialLow] = [0x9a6c9329, 0xac4bc9b5];
const slices = 8;

/** By slice and byte: table n has the CRC of a byte followed by n zero bytes. */
const [highs, lows] = makeTables();

function makeTables(): [Uint32Array, Uint32Array] {
  const high = new Uint32Array(slices * 256);
  const low = new Uint32Array(slices * 256);
  for (let byte = 0; byte < 256; byte += 1) {
    let [h, l] = [0, byte];
    for (let bit = 0; bit < 8; bit += 1) {
      const isOdd = (l & 1) === 1;
      l = ((l >>> 1) | (h << 31)) >>> 0;
      h >>>= 1;
      if (isOdd) [h, l] = [(h ^ polynomialHigh) >>> 0, (l ^ polynomialLow) >>> 0];
    }
    high[byte] = h;
    low[byte] = l;
  }
  for (let at = 256; at < slices * 256; at += 1) {
    const [h, l] = [high[at - 256] ?? 0, low[at - 256] ?? 0];
    high[at] = (h >>> 8) ^ (high[l & 0xff] ?? 0);
    low[at] = ((l >>> 8) | (h << 24)) ^ (low[l & 0xff] ?? 0);
  }
  return [high, low];
}

export class Crc64Nvme {
  #high = 0xffffffff;
  #low = 0xffffffff;

  update(bytes: Buffer): void {
    let [high, low] = [this.#high, this.#low];
    const wholeBytes = bytes.length - (bytes.length % 8);
    let at = 0;
    for (; at < wholeBytes; at += 8) {
      const one = low ^ bytes.readInt32LE(at);
      const two = high ^ bytes.readInt32LE(at + 4);
      const [a, b, c, d] = [
        1792 + (one & 0xff),
        1536 + ((one >>> 8) & 0xff),
        1280 + ((one >>> 16) & 0xff),
        1024 + (one >>> 24),
      ];
      const [e, f, g, h] = [768 + (two & 0xff), 512 + ((two >>> 8) & 0xff), 256 + ((two >>> 16) & 0xff), two >>> 24];
      high = xor(highs, a, b, c, d, e, f, g, h);
      low = xor(lows, a, b, c, d, e, f, g, h);
    }
    for (; at < bytes.length; at += 1) {
      const index = (low ^ (bytes[at] ?? 0)) & 0xff;
      low = ((low >>> 8) | (high << 24)) ^ (lows[index] ?? 0);
      high = (high >>> 8) ^ (highs[index] ?? 0);
    }
    this.#high = high;
    this.#low = low;
  }

  base64(): string {
    const bytes = Buffer.alloc(8);
    bytes.writeInt32BE(~this.#high, 0);
    bytes.writeInt32BE(~this.#low, 4);
    return bytes.toString('base64');
  }
}

function xor(
  table: Uint32Array,
  a: number,
  b: number,
  c: number,
  d: number,
  e: number,
  f: number,
  g: number,
  h: number,
): number {
  return (
    (table[a] ?? 0) ^
    (table[b] ?? 0) ^
    (table[c] ?? 0) ^
    (table[d] ?? 0) ^
    (table[e] ?? 0) ^
    (table[f] ?? 0) ^
    (table[g] ?? 0) ^
    (table[h] ?? 0)
  );
}
