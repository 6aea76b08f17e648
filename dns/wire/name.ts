// Domain names on the wire (RFC 1035 sections 3.1 and 4.1.4).

/** The bytes are not a valid DNS message. */
export class WireError extends Error {
  constructor(what: string) {
    super(`the message is not valid: ${what}`);
    this.name = 'WireError';
  }
}

/** RFC 1035 section 2.3.4, in octets. */
const longestNameBytes = 255;

/** Uncompressed, in lower case (the canonical form of RFC 8945 and RFC 4034). The text must be a valid name. `.` is the root. */
export function encodeName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  const parts = labels.flatMap((label) => [Buffer.from([label.length]), Buffer.from(label.toLowerCase(), 'latin1')]);
  const bytes = Buffer.concat([...parts, Buffer.from([0])]);
  if (bytes.length > longestNameBytes || labels.some(({ length }) => length > 63))
    throw new Error(`a name is too long for DNS: ${name}`);
  return bytes;
}

/** The unchanged bytes of the name at `offset`, without pointers. Throws WireError. */
export function expandName(message: Buffer, offset: number): Buffer {
  decodeName(message, offset);
  const labels: Buffer[] = [];
  for (let at = offset; ; ) {
    const length = message[at] ?? 0;
    if (length >= 0xc0) at = ((length & 0x3f) << 8) | (message[at + 1] ?? 0);
    else {
      labels.push(message.subarray(at, at + 1 + length));
      if (length === 0) return Buffer.concat(labels);
      at += 1 + length;
    }
  }
}

/**
 * The name at `offset`, in lower case without a final dot, and the offset after it. Bytes that are not of a host name are escaped
 * (`\046` is a dot in a label). Pointers only go back, so reading ends.
 */
export function decodeName(message: Buffer, offset: number): { readonly name: string; readonly next: number } {
  const labels: string[] = [];
  let [at, lowest, size] = [offset, offset, 1];
  let next: number | undefined;
  for (;;) {
    const length = message[at];
    if (length === undefined) throw new WireError('a name is cut off');
    if (length === 0) break;
    if (length >= 0xc0) {
      const low = message[at + 1];
      if (low === undefined) throw new WireError('a name is cut off');
      next ??= at + 2;
      at = ((length & 0x3f) << 8) | low;
      if (at >= lowest) throw new WireError('a name points forwards');
      lowest = at;
      continue;
    }
    if (length > 63) throw new WireError('a label has an unknown form');
    size += length + 1;
    if (size > longestNameBytes) throw new WireError('a name is too long');
    const label = message.subarray(at + 1, at + 1 + length);
    if (label.length < length) throw new WireError('a name is cut off');
    labels.push(textOfLabel(label));
    at += length + 1;
  }
  return { name: labels.join('.'), next: next ?? at + 1 };
}

function textOfLabel(label: Buffer): string {
  return label
    .toString('latin1')
    .toLowerCase()
    .replace(/[^a-z0-9_*-]/g, (character) => `\\${String(character.charCodeAt(0)).padStart(3, '0')}`);
}
