// The client of a query, as a resolver reports it to a name server (RFC 7871 section 6), in the OPT record of EDNS (RFC 6891).
import { types, type WireRecord } from './message.ts';
import { WireError } from './name.ts';

interface AskedFor {
  /** Bytes of the address, 4 or 16, in network order. */
  readonly bytes: Uint8Array;
  /** Number of bits that the resolver reports. 0 for none. */
  readonly bits: number;
}

const optionCode = 8;
/** Larger answers come over TCP. */
const answerBytes = 1_232;
const familyOf = { 4: 1, 16: 2 } as const;

export function encodeAskedFor({ bytes, bits }: AskedFor): WireRecord {
  const told = Buffer.from(bytes.slice(0, Math.ceil(bits / 8)));
  const fixed = Buffer.alloc(8);
  fixed.writeUInt16BE(optionCode, 0);
  fixed.writeUInt16BE(4 + told.length, 2);
  fixed.writeUInt16BE(familyOf[bytes.length as 4 | 16], 4);
  fixed[6] = bits;
  return { name: '.', type: types.OPT, class: answerBytes, ttl: 0, data: Buffer.concat([fixed, told]) };
}

/** Number of bits that influenced the answer. Undefined if the server did not report it. Throws WireError. */
export function scopeBitsOf({ data }: Pick<WireRecord, 'data'>): number | undefined {
  for (let at = 0; at < data.length; ) {
    if (at + 4 > data.length) throw new WireError('an option is cut off');
    const [code, length] = [data.readUInt16BE(at), data.readUInt16BE(at + 2)];
    if (at + 4 + length > data.length) throw new WireError('an option is cut off');
    if (code === optionCode && length >= 4) return data[at + 7];
    at += 4 + length;
  }
  return undefined;
}
