// A reply while it arrives, bounded: bytes above the bound are not read.

import type { HttpReply } from './http.ts';

export class ReplyInProgress {
  readonly #chunks: Buffer[] = [];
  #status = 0;
  #headers: Record<string, string> = {};
  #roomBytes: number;
  #truncated = false;

  constructor(maxBytes: number) {
    this.#roomBytes = maxBytes;
  }

  /** Interim replies (RFC 9110 section 15.2) precede the final one. */
  start(status: number, headers: Readonly<Record<string, string | readonly string[] | undefined>>): void {
    if (status < 200) return;
    this.#status = status;
    this.#headers = {};
    for (const [name, value] of Object.entries(headers)) {
      if (value === undefined) continue;
      // A cookie may hold a comma (RFC 6265 section 3), but no line feed.
      this.#headers[name.toLowerCase()] =
        typeof value === 'string' ? value : value.join(name.toLowerCase() === 'set-cookie' ? '\n' : ', ');
    }
  }

  /** False when it is full: the chunk was cut. */
  add(chunk: Buffer): boolean {
    this.#chunks.push(chunk.subarray(0, this.#roomBytes));
    this.#truncated = chunk.length > this.#roomBytes;
    this.#roomBytes -= Math.min(chunk.length, this.#roomBytes);
    return !this.#truncated;
  }

  toReply(): HttpReply {
    return {
      kind: 'http',
      status: this.#status,
      headers: this.#headers,
      body: Buffer.concat(this.#chunks).toString('utf8'),
      truncated: this.#truncated,
    };
  }
}
