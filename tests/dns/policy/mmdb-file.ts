// Writes a small file in MaxMind's format (MaxMind DB file format specification 2.0): a tree of 24-bit records, data, metadata.

type Value = string | number | bigint | readonly Value[] | { readonly [key: string]: Value };

interface MmdbBlock {
  /** 16: IPv4 addresses are in ::/96. */
  readonly bytes: readonly number[];
  readonly prefix: number;
  readonly value: Value;
}

const separator = Buffer.alloc(16);

export function mmdbFile(blocks: readonly MmdbBlock[]): Buffer {
  /** The two sides of a node: a node, a block's index below zero, or undefined. */
  const nodes: (number | undefined)[][] = [[undefined, undefined]];
  for (const [index, { bytes, prefix }] of blocks.entries()) {
    let node = 0;
    for (let depth = 0; depth < prefix; depth += 1) {
      const side = ((bytes[depth >> 3] ?? 0) >> (7 - (depth & 7))) & 1;
      const sides = nodes[node] as (number | undefined)[];
      if (depth === prefix - 1) sides[side] = -1 - index;
      else node = sides[side] ??= nodes.push([undefined, undefined]) - 1;
    }
  }
  const data = blocks.map(({ value }) => encode(value));
  const offsets = data.map((_, at) => data.slice(0, at).reduce((sum, { length }) => sum + length, 0));
  const record = (side: number | undefined) =>
    side === undefined ? nodes.length : side >= 0 ? side : nodes.length + separator.length + (offsets[-1 - side] ?? 0);
  const tree = Buffer.alloc(nodes.length * 6);
  for (const [at, sides] of nodes.entries())
    for (const side of [0, 1]) tree.writeUIntBE(record(sides[side]), at * 6 + side * 3, 3);
  const metadata = encode({
    ...{ binary_format_major_version: 2, binary_format_minor_version: 0, build_epoch: 1n, database_type: 'Test' },
    ...{ description: {}, ip_version: 6, languages: [], node_count: nodes.length, record_size: 24 },
  });
  return Buffer.concat([tree, separator, ...data, Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1'), metadata]);
}

function encode(value: Value): Buffer {
  if (typeof value === 'string') return Buffer.concat([head(2, Buffer.byteLength(value)), Buffer.from(value)]);
  if (typeof value === 'bigint')
    return Buffer.concat([head(9, 8), Buffer.from(value.toString(16).padStart(16, '0'), 'hex')]);
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(Number.isInteger(value) ? 4 : 8);
    if (Number.isInteger(value)) bytes.writeUInt32BE(value);
    else bytes.writeDoubleBE(value);
    return Buffer.concat([head(bytes.length === 4 ? 6 : 3, bytes.length), bytes]);
  }
  if (Array.isArray(value)) return Buffer.concat([head(11, value.length), ...value.map(encode)]);
  const entries = Object.entries(value);
  return Buffer.concat([head(7, entries.length), ...entries.flatMap(([key, each]) => [encode(key), encode(each)])]);
}

/** Types above 7 have a byte of their own. */
function head(type: number, size: number): Buffer {
  return type <= 7 ? Buffer.from([(type << 5) | size]) : Buffer.from([size, type - 7]);
}
