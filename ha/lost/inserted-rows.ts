// Decodes the rows that INSERT statements have written to a binary log in row format. Tables that are not asked for are only named. Source:
// MariaDB Knowledge Base, "TABLE_MAP_EVENT" and "ROWS_EVENT_V1", and the server's rpl_utility.h for the metadata of each type.

/** By table, its columns in order, and of them the ones whose values are wanted. */
export type WantedTables = Readonly<Record<string, { readonly columns: readonly string[] }>>;

export type InsertedRow = Readonly<Record<string, string | number | null>>;

/** Of one TABLE_MAP_EVENT. */
export interface LoggedTable {
  readonly name: string;
  readonly types: Uint8Array;
  /** One number for each column. */
  readonly metadata: readonly number[];
}

export class UndecodableError extends Error {}

const types = {
  tiny: 1,
  short: 2,
  long: 3,
  float: 4,
  double: 5,
  longlong: 8,
  int24: 9,
  date: 10,
  year: 13,
  varchar: 15,
  bit: 16,
  timestamp2: 17,
  datetime2: 18,
  time2: 19,
  newdecimal: 246,
  enum: 247,
  set: 248,
  blob: 252,
  varString: 253,
  string: 254,
  geometry: 255,
} as const;

const oneByteOfMetadata = new Set<number>([
  ...[types.float, types.double, types.blob, types.geometry],
  ...[types.timestamp2, types.datetime2, types.time2],
]);
const twoBytesOfMetadata = new Set<number>([
  ...[types.varchar, types.bit, types.newdecimal, types.enum, types.set, types.varString, types.string],
]);
const integerBytes = new Map<number, number>([
  ...([types.tiny, types.year] as const).map((type) => [type, 1] as const),
  ...[[types.short, 2] as const, [types.int24, 3] as const, [types.date, 3] as const],
  ...[[types.long, 4] as const, [types.longlong, 8] as const],
]);
/** Bytes of a date's part before the fraction of a second. */
const timeBytes = new Map<number, number>([
  ...[[types.timestamp2, 4] as const, [types.datetime2, 5] as const, [types.time2, 3] as const],
]);

/** Throws UndecodableError, and RangeError if the event is cut. */
export function tableOf(body: Buffer): { readonly id: string; readonly table: LoggedTable } {
  const reader = new Reader(body);
  const id = reader.bytes(6).toString('hex');
  // Flags, and the name of the database with its zero.
  reader.bytes(2);
  reader.bytes(reader.integer(1) + 1);
  const name = reader.bytes(reader.integer(1)).toString('utf8');
  reader.bytes(1);
  const columns = reader.bytes(reader.packed());
  reader.packed();
  const metadata = Array.from(columns, (type) => {
    if (oneByteOfMetadata.has(type)) return reader.integer(1);
    if (!twoBytesOfMetadata.has(type)) return 0;
    const [low = 0, high = 0] = reader.bytes(2);
    // These have the real type first. The others are little-endian numbers.
    return type === types.string || type === types.enum || type === types.set ? low * 256 + high : high * 256 + low;
  });
  return { id, table: { name, types: columns, metadata } };
}

/** The table of a ROWS_EVENT, as in `tableOf`. */
export function tableIdOf(body: Buffer): string {
  return new Reader(body).bytes(6).toString('hex');
}

/** The rows of a WRITE_ROWS_EVENT_V1. Columns that the statement left out are missing. */
export function* rowsOf(
  body: Buffer,
  { name, types: columnTypes, metadata }: LoggedTable,
  columns: readonly string[],
): Generator<InsertedRow> {
  const reader = new Reader(body);
  reader.bytes(8);
  const width = reader.packed();
  if (width !== columnTypes.length) throw new UndecodableError(`${name}: a row has ${width} columns`);
  const present = bitsOf(reader.bytes(Math.ceil(width / 8)), width);
  while (!reader.isAtEnd) {
    const nulls = bitsOf(reader.bytes(Math.ceil(present.length / 8)), present.length);
    const row: Record<string, string | number | null> = {};
    for (const [at, column] of present.entries()) {
      const isNull = nulls.includes(at);
      const value = isNull ? null : decodedValue(reader, columnTypes[column] ?? 0, metadata[column] ?? 0, name);
      const title = columns[column];
      if (title !== undefined) row[title] = value;
    }
    yield row;
  }
}

/** Positions of the set bits. */
function bitsOf(bytes: Buffer, count: number): readonly number[] {
  return Array.from({ length: count }, (_, at) => at).filter((at) => ((bytes[at >> 3] ?? 0) >> (at & 7)) & 1);
}

/** Times are skipped: they are in the server's time zone, and a transaction has its own. */
function decodedValue(reader: Reader, type: number, metadata: number, table: string): string | number | null {
  const bytes = integerBytes.get(type);
  if (bytes !== undefined) return reader.integer(bytes);
  const seconds = timeBytes.get(type);
  if (seconds !== undefined) {
    reader.bytes(seconds + Math.ceil(metadata / 2));
    return null;
  }
  if (type === types.blob) return reader.bytes(reader.integer(metadata)).toString('utf8');
  const longest = type === types.varchar ? metadata : type === types.string ? lengthOfString(metadata) : undefined;
  if (longest === undefined) throw new UndecodableError(`${table}: a column has the type ${type}`);
  return reader.bytes(reader.integer(longest > 255 ? 2 : 1)).toString('utf8');
}

/** Two bits of a length above 255 are in the byte of the real type. */
function lengthOfString(metadata: number): number {
  const [high, low] = [metadata >> 8, metadata & 255];
  return low | (((high & 0x30) ^ 0x30) << 4);
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  bytes(count: number): Buffer {
    const end = this.#at + count;
    if (end > this.#bytes.length) throw new UndecodableError('an event ends early');
    const found = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return found;
  }

  /** Little-endian. */
  integer(count: number): number {
    return this.bytes(count).reduceRight((sum, byte) => sum * 256 + byte, 0);
  }

  /** A length-encoded integer. */
  packed(): number {
    const first = this.integer(1);
    if (first < 251) return first;
    return this.integer(first === 252 ? 2 : first === 253 ? 3 : 8);
  }
}
