// Payloads of age files against the library's own code, in both directions.
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from '@jest/globals';
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { decrypted, encrypted } from '../../backup/age-payload.ts';

const chunk = 65_536;
const sealedChunk = chunk + 16;
const identity = await generateX25519Identity();
const recipient = await identityToRecipient(identity);

function encrypter(): Encrypter {
  const made = new Encrypter();
  made.addRecipient(recipient);
  return made;
}

function decrypter(key = identity): Decrypter {
  const made = new Decrypter();
  made.addIdentity(key);
  return made;
}

/** In parts of these sizes, by turns. */
function inParts(bytes: Uint8Array, sizes: readonly number[]): Readable {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += sizes[(parts.length - 1) % sizes.length] ?? 1) {
    parts.push(Buffer.from(bytes.subarray(at, at + (sizes[parts.length % sizes.length] ?? 1))));
  }
  return Readable.from(parts);
}

const open = async (file: Uint8Array, sizes: readonly number[] = [100_000]) =>
  buffer(await decrypted(inParts(file, sizes), decrypter()));

const lengths = [0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk, 2 * chunk + 1, 5 * chunk + 77];
const partSizes: readonly (readonly number[])[] = [[1_000_000], [chunk], [997, 40_001], [sealedChunk, 3]];

test.each(lengths)(
  '%s bytes are read by the library as they were written, and the other way around',
  async (length) => {
    const content = randomBytes(length);
    const theirs = await encrypter().encrypt(content);
    for (const sizes of partSizes) {
      const ours = await buffer(encrypted(inParts(content, sizes), encrypter()));
      expect(Buffer.from(await decrypter().decrypt(ours)).equals(content)).toBe(true);
      for (const file of [ours, theirs]) expect((await open(file, sizes)).equals(content)).toBe(true);
    }
  },
);

describe('a file of three chunks', () => {
  const content = randomBytes(2 * chunk + 500);
  const made = buffer(encrypted(inParts(content, [chunk]), encrypter()));
  const payloadAt = async () => (await made).length - 2 * sealedChunk - 516;
  const cut = async (at: number) => (await made).subarray(0, (await payloadAt()) + at);

  test.each([
    ['nothing but half of the header', async () => (await made).subarray(0, 40)],
    ['no nonce', async () => cut(-16)],
    ['no chunk', async () => cut(0)],
    ['a part of a tag', async () => cut(10)],
    ['the first chunk', async () => cut(sealedChunk)],
    ['the first two chunks', async () => cut(2 * sealedChunk)],
    ['all but a byte', async () => (await made).subarray(0, -1)],
    ['one byte more', async () => Buffer.concat([await made, Buffer.from([0])])],
    [
      'its first two chunks in the other order',
      async () => {
        const at = await payloadAt();
        const [file, one] = [await made, at + sealedChunk];
        return Buffer.concat([
          file.subarray(0, at),
          file.subarray(one, one + sealedChunk),
          file.subarray(at, one),
          file.subarray(one + sealedChunk),
        ]);
      },
    ],
    ['no header but 70,000 other bytes', async () => randomBytes(70_000)],
  ])('with %s is refused', async (_, change) => {
    await expect(open(await change())).rejects.toThrow();
  });

  test('with a changed bit anywhere is refused', async () => {
    const file = await made;
    for (let at = 0; at < file.length; at += Math.ceil(file.length / 150)) {
      const changed = Buffer.from(file);
      changed[at] = (changed[at] ?? 0) ^ 1;
      await expect(open(changed)).rejects.toThrow();
    }
  });

  test('is refused with another key', async () => {
    const other = decrypter(await generateX25519Identity());
    await expect(decrypted(inParts(await made, [1_000]), other)).rejects.toThrow(/no identity matched/);
  });
});
