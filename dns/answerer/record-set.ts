// A record set (RFC 2181 section 5): all records of one name and type, ready for the wire. Their data holds names uncompressed and in
// lower case, which is also the form that is signed (RFC 4034 section 6.2).
import { encodeName } from '../wire/name.ts';

export interface RecordSet {
  /** The owner. */
  readonly key: string;
  readonly type: number;
  readonly ttlSeconds: number;
  readonly data: readonly Buffer[];
}

interface Soa {
  readonly mname: string;
  readonly rname: string;
  readonly refreshSeconds: number;
  readonly retrySeconds: number;
  readonly expireSeconds: number;
  readonly negativeTtlSeconds: number;
  readonly serialBase: number;
}

/** RFC 1982. */
export function serialOf({ serialBase }: Pick<Soa, 'serialBase'>, generation: number): number {
  return (serialBase + generation) % 2 ** 32;
}

/** RFC 1035 section 3.3.13. */
export function soaData(soa: Soa, generation: number): Buffer {
  const numbers = Buffer.alloc(20);
  const { refreshSeconds, retrySeconds, expireSeconds, negativeTtlSeconds } = soa;
  for (const [index, value] of [
    ...[serialOf(soa, generation), refreshSeconds, retrySeconds, expireSeconds, negativeTtlSeconds],
  ].entries())
    numbers.writeUInt32BE(value, 4 * index);
  return Buffer.concat([encodeName(soa.mname), encodeName(soa.rname), numbers]);
}
