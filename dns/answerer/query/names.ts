// Names as keys: the bytes of a name on the wire (RFC 1035 section 3.1) in lower case, as a string with one character per byte. So a name of a packet
// is looked up without decoding, and any suffix of labels is a key too.
import { encodeName } from '../../wire/name.ts';

/** RFC 1035 section 2.3.4. */
const longestNameBytes = 255;

/** The offset after the uncompressed name at `from`. Undefined if there is none. */
export function nameEnd(packet: Buffer, from: number): number | undefined {
  for (let at = from; at < from + longestNameBytes; ) {
    const length = packet[at];
    if (length === undefined || length > 63) return undefined;
    at += length + 1;
    if (length === 0) return at - from <= longestNameBytes ? at : undefined;
  }
  return undefined;
}

/** `text`: absolute or relative, for example `shop.example.` */
export function keyOf(text: string): string {
  return encodeName(text).toString('latin1');
}

/** The key without its first label. Undefined for the root. */
export function parentOf(key: string): string | undefined {
  const length = key.charCodeAt(0);
  return length === 0 ? undefined : key.slice(length + 1);
}

/** Bytes of the name, in lower case. */
export function bytesOf(key: string): Buffer {
  return Buffer.from(key, 'latin1');
}

/** `*` below the name (RFC 4592 section 2.1.1). */
export function wildcardOf(key: string): string {
  return `\x01*${key}`;
}

/** Number of labels, without the root's and a leading `*` (RFC 4034 section 3.1.3). */
export function labelCount(key: string): number {
  let count = 0;
  for (let at = 0; key.charCodeAt(at) !== 0; at += key.charCodeAt(at) + 1) count += 1;
  return key.startsWith('\x01*') ? count - 1 : count;
}
