// The two framings of NETCONF over SSH (RFC 6242): a mark at the end of each message, and from base:1.1 on chunks. Messages may be split
// at any byte, and are bounded.

const endMark = Buffer.from(']]>]]>');
/** Section 4.2: LF, HASH, a number of at most ten digits, LF. */
const longestHeader = 13;
/** In one message: each costs as much as some dozen bytes. */
const mostChunks = 65_536;

export type Framing = 'end-of-message' | 'chunked';

/** No character of the message is left to escape: in XML `]]>` is always written `]]&gt;`. */
export function framed(message: string, framing: Framing): Buffer {
  const bytes = Buffer.from(message);
  if (framing === 'end-of-message') return Buffer.concat([bytes, endMark]);
  return Buffer.concat([Buffer.from(`\n#${bytes.length}\n`), bytes, Buffer.from('\n##\n')]);
}

/** `rubbish`: not this framing; `too long`: more than the bound. Nothing more can be read after either. */
type Taken = Buffer | undefined | 'rubbish' | 'too long';

export class MessageReader {
  /** Bound of each message, which may change between messages. */
  mostBytes: number;
  framing: Framing = 'end-of-message';
  #input = Buffer.alloc(4096);
  /** Received bytes that were not yet taken are from `#from` to `#to`. */
  #from = 0;
  #to = 0;
  /** How far the mark has been looked for. */
  #searched = 0;
  /** The chunks of a message so far. */
  #chunks: Buffer[] = [];
  #chunkedBytes = 0;

  constructor(mostBytes: number) {
    this.mostBytes = mostBytes;
  }

  /** Bytes of an incomplete message, or of one that was not taken. */
  get pendingBytes(): number {
    return this.#to - this.#from + this.#chunkedBytes;
  }

  add(bytes: Buffer): void {
    if (this.#to + bytes.length > this.#input.length) this.#makeRoom(bytes.length);
    bytes.copy(this.#input, this.#to);
    this.#to += bytes.length;
  }

  /** The next complete message. Undefined if there is none yet. */
  take(): Taken {
    return this.framing === 'chunked' ? this.#takeChunked() : this.#takeMarked();
  }

  #makeRoom(bytes: number): void {
    const pending = this.#to - this.#from;
    const needed = pending + bytes;
    const into = needed > this.#input.length ? Buffer.alloc(needed * 2) : this.#input;
    this.#input.copy(into, 0, this.#from, this.#to);
    this.#input = into;
    this.#searched = Math.max(this.#searched - this.#from, 0);
    this.#from = 0;
    this.#to = pending;
  }

  /** Section 4.3. */
  #takeMarked(): Taken {
    const received = this.#input.subarray(0, this.#to);
    const at = received.indexOf(endMark, Math.max(this.#searched, this.#from));
    const length = (at < 0 ? this.#to : at) - this.#from;
    if (length > this.mostBytes) return 'too long';
    if (at < 0) {
      this.#searched = Math.max(this.#to - endMark.length + 1, this.#from);
      return undefined;
    }
    const message = Buffer.from(received.subarray(this.#from, at));
    this.#from = at + endMark.length;
    this.#searched = this.#from;
    return message;
  }

  /** Section 4.2. */
  #takeChunked(): Taken {
    for (;;) {
      const head = this.#input.toString('latin1', this.#from, Math.min(this.#to, this.#from + longestHeader));
      const header = /^\n#(?:([1-9]\d{0,9})|(#))\n/.exec(head);
      if (header === null) {
        const isBegun = head.length < longestHeader && /^(\n(#([1-9]\d{0,9}|#)?)?)?$/.test(head);
        return isBegun ? undefined : 'rubbish';
      }
      const [{ length }, size, end] = header;
      if (end !== undefined) {
        if (this.#chunks.length === 0) return 'rubbish';
        this.#from += length;
        const message = Buffer.concat(this.#chunks);
        this.#chunks = [];
        this.#chunkedBytes = 0;
        return message;
      }
      const bytes = Number(size);
      if (this.#chunkedBytes + bytes > this.mostBytes || this.#chunks.length === mostChunks) return 'too long';
      if (this.#to - this.#from < length + bytes) return undefined;
      const begin = this.#from + length;
      this.#chunks.push(Buffer.from(this.#input.subarray(begin, begin + bytes)));
      this.#chunkedBytes += bytes;
      this.#from = begin + bytes;
    }
  }
}
