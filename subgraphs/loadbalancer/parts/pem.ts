// Whether a text is PEM that OpenSSL loads: a node whose files do not load can't take any change.
import { X509Certificate } from 'node:crypto';

const mostBlocks = 100;

/** What is wrong with a list of certificates, in words that follow the field's name; undefined: nothing. */
export function certificatesFault(pem: string): string | undefined {
  return blocksFault(pem, 'CERTIFICATE', 'certificates', (der) => {
    const certificate = new X509Certificate(der);
    // HAProxy leaves out, without a word, one whose key it can't read.
    if (!certificate.raw.equals(der) || certificate.publicKey.type !== 'public') throw new Error('not a certificate');
  });
}

/** The same for revocation lists (RFC 5280 section 5.1). */
export function revocationsFault(pem: string): string | undefined {
  return blocksFault(pem, 'X509 CRL', 'revocation lists', (der) => {
    const [list, algorithm, signature, ...rest] = partsIn(contentOf(der, 0x30));
    if (list?.tag !== 0x30 || algorithm?.tag !== 0x30 || signature?.tag !== 0x03 || rest.length > 0)
      throw new Error('not a revocation list');
    // At least: how it is signed, who issued it, and when.
    const tags = partsIn(list.content).map(({ tag }) => tag);
    const from = tags[0] === 0x02 ? 1 : 0;
    const isTime = (tag: number | undefined) => tag === 0x17 || tag === 0x18;
    if (tags[from] !== 0x30 || tags[from + 1] !== 0x30 || !isTime(tags[from + 2]))
      throw new Error('not a revocation list');
  });
}

function blocksFault(pem: string, label: string, what: string, read: (der: Buffer) => void): string | undefined {
  const pattern = new RegExp(`-----BEGIN ${label}-----([A-Za-z0-9+/=\\s]+?)-----END ${label}-----`, 'g');
  const blocks = [...pem.matchAll(pattern)];
  if (blocks.length === 0 || blocks.length > mostBlocks || pem.replaceAll(pattern, '').trim() !== '')
    return `is not PEM: give 1 to ${mostBlocks} ${what} (-----BEGIN ${label}-----), and nothing else`;
  for (const [at, [, base64 = '']] of blocks.entries())
    try {
      read(Buffer.from(base64, 'base64'));
    } catch {
      return `can't be read: number ${at + 1} of its ${what} is damaged`;
    }
  return undefined;
}

interface Part {
  readonly tag: number;
  readonly content: Buffer;
}

/** DER (X.690): the values in a value, one after the other. Throws where a length does not fit. */
function partsIn(der: Buffer): Part[] {
  const parts: Part[] = [];
  for (let at = 0; at < der.length; ) {
    const part = partAt(der, at);
    parts.push(part);
    at = part.content.byteOffset - der.byteOffset + part.content.length;
  }
  return parts;
}

function contentOf(der: Buffer, tag: number): Buffer {
  const [part, ...rest] = partsIn(der);
  if (part?.tag !== tag || rest.length > 0) throw new Error('another value was expected');
  return part.content;
}

function partAt(der: Buffer, at: number): Part {
  const tag = der[at] ?? 0;
  const first = der[at + 1] ?? 0;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (lengthBytes > 3 || first === 0x80) throw new Error('a length is too long');
  const length = lengthBytes === 0 ? first : der.readUIntBE(at + 2, lengthBytes);
  const from = at + 2 + lengthBytes;
  if (from + length > der.length) throw new Error('a value is cut');
  return { tag, content: der.subarray(from, from + length) };
}
