// The payload of an age file (C2SP, age.md) by the system's own ChaCha20-Poly1305: the library's, in JavaScript, takes nine times as long. The
// header, with everything about recipients, stays the library's.
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { Decrypter, Encrypter } from 'age-encryption';

const cipher = 'chacha20-poly1305';
const chunkBytes = 65_536;
const nonceBytes = 16;
const tagBytes = 16;
const keyBytes = 32;
/** Far more than the header of a file of ours, which has two lines for each recipient. */
const mostHeaderBytes = 65_536;
/** Begins the last line of a header. */
const footer = '\n--- ';

/** A file for the recipients of `encrypter`, which serves one file: a recipient that gets to know the key is added to it. */
export async function* encrypted(source: AsyncIterable<Buffer>, encrypter: Encrypter): AsyncGenerator<Buffer> {
  const { header, fileKey } = await newHeader(encrypter);
  const nonce = randomBytes(nonceBytes);
  yield Buffer.concat([header, nonce]);
  const nonces = new ChunkNonces();
  const key = streamKey(fileKey, nonce);
  for await (const { chunk, isLast } of chunksOf(source, chunkBytes)) {
    const sealing = createCipheriv(cipher, key, nonces.next(isLast), { authTagLength: tagBytes });
    const body = sealing.update(chunk);
    sealing.final();
    yield Buffer.concat([body, sealing.getAuthTag()]);
  }
}

async function newHeader(encrypter: Encrypter): Promise<{ readonly header: Buffer; readonly fileKey: Uint8Array }> {
  let fileKey: Uint8Array | undefined;
  encrypter.addRecipient({
    wrapFileKey: (key) => {
      fileKey = Uint8Array.from(key);
      return [];
    },
  });
  // An empty payload is a nonce and a tag. They are not used: its key has sealed its first chunk.
  const empty = Buffer.from(await encrypter.encrypt(''));
  if (fileKey === undefined) throw new Error('an age file was made without a key');
  return { header: empty.subarray(0, -nonceBytes - tagBytes), fileKey };
}

/**
 * What it gives is authenticated, chunk by chunk; for the rest it throws. It resolves when the header is read and one of the decrypter's
 * identities has its key.
 */
export async function decrypted(source: AsyncIterable<Buffer>, decrypter: Decrypter): Promise<AsyncGenerator<Buffer>> {
  const parts = source[Symbol.asyncIterator]();
  const { header, nonce, rest } = await readHeader(parts);
  const key = streamKey(await decrypter.decryptHeader(header), nonce);
  return opened(following(rest, parts), key);
}

async function* opened(payload: AsyncIterable<Buffer>, key: Uint8Array): AsyncGenerator<Buffer> {
  const nonces = new ChunkNonces();
  let isFirst = true;
  for await (const { chunk, isLast } of chunksOf(payload, chunkBytes + tagBytes)) {
    // One content would have several files.
    if (chunk.length === tagBytes && !isFirst) throw new Error('its last chunk is empty');
    if (chunk.length < tagBytes) throw new Error('it is cut off');
    isFirst = false;
    const opening = createDecipheriv(cipher, key, nonces.next(isLast), { authTagLength: tagBytes });
    opening.setAuthTag(chunk.subarray(-tagBytes));
    const body = opening.update(chunk.subarray(0, -tagBytes));
    opening.final();
    yield body;
  }
}

async function readHeader(
  parts: AsyncIterator<Buffer>,
): Promise<{ readonly header: Buffer; readonly nonce: Buffer; readonly rest: Buffer }> {
  let read: Buffer = Buffer.alloc(0);
  for (;;) {
    const last = read.indexOf(footer);
    const end = last < 0 ? -1 : read.indexOf('\n', last + footer.length) + 1;
    if (end > 0 && read.length >= end + nonceBytes) {
      const [header, nonce] = [read.subarray(0, end), read.subarray(end, end + nonceBytes)];
      return { header, nonce, rest: read.subarray(end + nonceBytes) };
    }
    if (read.length > mostHeaderBytes) throw new Error('it is no age file');
    const next = await parts.next();
    if (next.done === true) throw new Error(end > 0 ? 'it is cut off' : 'it is no age file');
    read = Buffer.concat([read, next.value]);
  }
}

async function* following(first: Buffer, parts: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield first;
    for (let next = await parts.next(); next.done !== true; next = await parts.next()) yield next.value;
  } finally {
    await parts.return?.();
  }
}

interface Chunk {
  readonly chunk: Buffer;
  readonly isLast: boolean;
}

/** All chunks are full but the last one, which is empty only if there is no other. */
async function* chunksOf(parts: AsyncIterable<Buffer>, size: number): AsyncGenerator<Chunk> {
  let held: Buffer[] = [];
  let bytes = 0;
  for await (const part of parts) {
    held.push(part);
    bytes += part.length;
    if (bytes <= size) continue;
    const all = Buffer.concat(held);
    let at = 0;
    // A full chunk that nothing follows may be the last one.
    for (; bytes - at > size; at += size) yield { chunk: all.subarray(at, at + size), isLast: false };
    held = [all.subarray(at)];
    bytes -= at;
  }
  yield { chunk: Buffer.concat(held), isLast: true };
}

function streamKey(fileKey: Uint8Array, nonce: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', fileKey, nonce, 'payload', keyBytes));
}

/** The number of the chunk in eleven bytes, and whether it is the last one. */
class ChunkNonces {
  #number = 0n;

  next(isLast: boolean): Buffer {
    const nonce = Buffer.alloc(12);
    nonce.writeBigUInt64BE(this.#number, 3);
    nonce[11] = isLast ? 1 : 0;
    this.#number += 1n;
    return nonce;
  }
}
