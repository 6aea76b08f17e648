// HMAC-SHA-256 (RFC 2104) of short texts under one key, by one-shot digests: half of the time of node:crypto's Hmac object, which is on
// the way of every request to a subgraph.
import { type BinaryToTextEncoding, hash } from 'node:crypto';

const blockBytes = 64;
const digestBytes = 32;

export class HmacSha256 {
  /** The padded key, then the text. */
  #inner: Buffer;
  /** The padded key, then the inner digest. */
  readonly #outer: Buffer;

  /** `key`: at most 64 bytes. */
  constructor(key: Uint8Array) {
    const padded = (pad: number, length: number) => {
      const bytes = Buffer.alloc(length);
      for (let index = 0; index < blockBytes; index += 1) bytes[index] = (key[index] ?? 0) ^ pad;
      return bytes;
    };
    this.#inner = padded(0x36, 1024);
    this.#outer = padded(0x5c, blockBytes + digestBytes);
  }

  /** `text`: ASCII. */
  textOf(text: string, encoding: BinaryToTextEncoding): string {
    this.#digestInner(text);
    return hash('sha256', this.#outer, encoding);
  }

  /** 32 bytes. `text`: ASCII. */
  of(text: string): Buffer {
    this.#digestInner(text);
    return hash('sha256', this.#outer, 'buffer');
  }

  #digestInner(text: string): void {
    const length = blockBytes + text.length;
    if (length > this.#inner.length) this.#inner = Buffer.concat([this.#inner.subarray(0, blockBytes)], 2 * length);
    this.#inner.write(text, blockBytes, 'latin1');
    this.#outer.write(hash('sha256', this.#inner.subarray(0, length), 'hex'), blockBytes, 'hex');
  }
}
