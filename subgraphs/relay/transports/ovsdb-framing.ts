// Cuts a stream of JSON values that follow each other without anything between them (JSON-RPC 1.0 over a byte stream, as
// RFC 7047 section 4 has it) into texts of one value each. Only objects are let in: every message is one.

export class JsonObjectSplitter {
  #pending = '';
  /** What has been looked at of `#pending`. */
  #position = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;

  /** Characters of a message that is not whole yet. */
  get pendingChars(): number {
    return this.#pending.length;
  }

  /** The messages that are whole with `text`; undefined when this is not a stream of objects: nothing can be read any more. */
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
        // A number, a literal, a comma or a colon: JSON.parse will judge.
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
