// Denial of existence, created for each query (RFC 9824): an NSEC record of the queried name lists its types. A name that does
// not exist has the type NXNAME only. So the answer reveals no other name of the zone.
import { types } from '../../wire/message.ts';
import { bytesOf } from '../query/names.ts';
import type { RecordSet } from '../record-set.ts';

const longestNameBytes = 255;

/** `has`: types of the name without the denied one. Undefined if there is no such name. */
export function denialOf(key: string, has: readonly number[] | undefined, ttlSeconds: number): RecordSet {
  const listed = [types.RRSIG, types.NSEC, ...(has ?? [types.NXNAME])];
  const data = Buffer.concat([bytesOf(nameAfter(key)), typeBitMap(listed)]);
  return { key, type: types.NSEC, ttlSeconds, data: [data] };
}

/** The next name in canonical order (RFC 4034 section 6.1): a label of a zero byte below it. A name of maximum length is handled separately. */
export function nameAfter(key: string): string {
  if (key.length + 2 <= longestNameBytes) return `\x01\0${key}`;
  // RFC 4471 section 3.1.1: increments the last byte of the first label, or drops it if it has the largest value.
  const length = key.charCodeAt(0);
  const [label, rest] = [key.slice(1, length + 1), key.slice(length + 1)];
  const kept = label.replace(/\xff+$/, '');
  if (kept === '') return nameAfter(rest);
  const more = kept.charCodeAt(kept.length - 1) + 1;
  // Upper case is compared as lower case.
  const next = String.fromCharCode(more === 0x41 ? 0x5b : more);
  return `${String.fromCharCode(kept.length)}${kept.slice(0, -1)}${next}${rest}`;
}

/** RFC 4034 section 4.1.2. */
export function typeBitMap(listed: readonly number[]): Buffer {
  const windows = new Map<number, Buffer>();
  for (const type of listed.toSorted((one, other) => one - other)) {
    const [window, low] = [type >> 8, type & 0xff];
    const length = (low >> 3) + 1;
    const bits = Buffer.concat([windows.get(window) ?? Buffer.alloc(0)], length);
    bits[length - 1] = (bits[length - 1] as number) | (0x80 >> (low & 7));
    windows.set(window, bits);
  }
  return Buffer.concat([...windows].flatMap(([window, bits]) => [Buffer.from([window, bits.length]), bits]));
}
