// Longest-prefix lookup: a binary tree of bits in typed arrays, for maps of 100,000 blocks.

const root = 0;

export class PrefixTree<Value> {
  /** Two entries per node: the child after a 0 bit and after a 1 bit. 0 for no child, since no node points to the root. */
  #children = new Int32Array(128);
  /** For each node: an index into `#kept`, or -1 if no block ends here. */
  #values = new Int32Array(64).fill(-1);
  readonly #kept: Value[] = [];
  #nodes = 1;

  /** A second value of one block replaces the first. */
  add(bytes: ArrayLike<number>, prefix: number, value: Value): void {
    let node = root;
    for (let depth = 0; depth < prefix; depth += 1) {
      const side = node * 2 + bitAt(bytes, depth);
      node = this.#children[side] || this.#grow(side);
    }
    this.#values[node] = this.#kept.push(value) - 1;
  }

  /**
   * Value of the longest block that contains the first `limit` bits. `bits`: all addresses that share this many bits have the
   * same value, as far as `limit` bits can show.
   */
  find(bytes: ArrayLike<number>, limit: number): { readonly value: Value | undefined; readonly bits: number } {
    let [node, depth] = [root, 0];
    let found = this.#values[root] ?? -1;
    while (depth < limit) {
      const left = this.#children[node * 2] ?? 0;
      const right = this.#children[node * 2 + 1] ?? 0;
      if (left === 0 && right === 0) break;
      node = bitAt(bytes, depth) === 0 ? left : right;
      depth += 1;
      if (node === 0) break;
      const value = this.#values[node] ?? -1;
      if (value >= 0) found = value;
    }
    return { value: found < 0 ? undefined : this.#kept[found], bits: depth };
  }

  #grow(side: number): number {
    const node = this.#nodes;
    this.#nodes += 1;
    if (node * 2 >= this.#children.length) {
      const [children, values] = [this.#children, this.#values];
      this.#children = new Int32Array(children.length * 2);
      this.#children.set(children);
      this.#values = new Int32Array(values.length * 2).fill(-1);
      this.#values.set(values);
    }
    this.#children[side] = node;
    return node;
  }
}

function bitAt(bytes: ArrayLike<number>, index: number): number {
  return ((bytes[index >> 3] ?? 0) >> (7 - (index & 7))) & 1;
}
