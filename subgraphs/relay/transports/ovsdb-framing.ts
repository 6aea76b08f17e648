// Splits a stream of consecutive JSON values without separators (JSON-RPC 1.0 over a byte stream, RFC 7047 section 4) into texts
// of one value each. Only objects are accepted: every message is one.

export class JsonObjectSplitter {
  #pending = '';
  /** The part of `#pending` that has been scanned. */
  #position = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;

  /** Characters of an incomplete message. */
  get pendingChars(): number {
    return this.#pending.length;
  }

  /** The messages completed by `text`; undefined when this is not a stream of objects: nothing more can be read. */
  add(text: string): readonly string[] | undefined {
    this.#pending += text;
    const whole: string[] = [];
    let start = 0;
    for (; this.#position < this.#pending.length; this.#position += 1) {
      const character = this.#pending[this.#position];
      if (this.#inString) this.#readInString(character);
      else if (character === '"' && this.#depth > 0) this.#inString = true;
      else if (character === '{' || (character === '[' && this.#depth > 0)) this.#depth += 1;
      else if ((character === '}' || character === ']') && this.#depth > 0) {
        this.#depth -= 1;
        if (this.#depth > 0) continue;
        whole.push(this.#pending.slice(start, this.#position + 1));
        start = this.#position + 1;
      } else if (this.#depth > 0) {
        // A number, a literal, a comma or a colon: JSON.parse decides.
      } else if (character === ' ' || character === '\n' || character === '\r' || character === '\t') {
        start = this.#position + 1;
      } else return undefined;
    }
    this.#pending = this.#pending.slice(start);
    this.#position -= start;
    return whole;
  }

  #readInString(character: string | undefined): void {
    if (this.#escaped) this.#escaped = false;
    else if (character === '\\') this.#escaped = true;
    else if (character === '"') this.#inString = false;
  }
}
