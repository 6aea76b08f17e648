// Files in the format of age (age-encryption.org/v1), with their size and SHA-256. What is written is on disk when a function resolves.
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { decrypted, encrypted } from './age-payload.ts';
import { fault, isMissingFile } from './faults.ts';
import type { StoredFile } from './manifest.ts';

/** Few large reads cost less than many small ones. */
const readBytes = 1_048_576;
const identityPattern = /^AGE-SECRET-KEY-1[0-9A-Z]+$/;

/** `recipients`: public keys of age. Throws BackupFaults for one that is none. */
export function encrypterFor(recipients: readonly string[]): Encrypter {
  const encrypter = new Encrypter();
  for (const recipient of recipients) {
    try {
      encrypter.addRecipient(recipient);
    } catch {
      return fault(`${recipient} is no recipient of age: make one with "tidegate backup key FILE"`);
    }
  }
  return encrypter;
}

/** The private keys in a file, as age-keygen writes it. Throws BackupFaults. */
export async function readIdentities(path: string): Promise<readonly string[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (isMissingFile(error)) return fault(`${path} is missing: give the file with the private key of the backup`);
    throw error;
  });
  const lines = text.split('\n').map((line) => line.trim());
  const identities = lines.filter((line) => line !== '' && !line.startsWith('#'));
  if (identities.length === 0 || identities.some((line) => !identityPattern.test(line)))
    return fault(`${path} is no private key of age: its lines begin with AGE-SECRET-KEY-1`);
  return identities;
}

/** A private key and its public one. */
export async function newIdentity(): Promise<{ readonly identity: string; readonly recipient: string }> {
  const identity = await generateX25519Identity();
  return { identity, recipient: await identityToRecipient(identity) };
}

/** `path` must not exist. `encrypter` serves one file. */
export async function encryptFile(
  path: string,
  source: AsyncIterable<Buffer>,
  encrypter: Encrypter,
): Promise<StoredFile> {
  const hash = createHash('sha256');
  let bytes = 0;
  await pipeline(
    encrypted(source, encrypter),
    async function* (parts: AsyncIterable<Buffer>) {
      for await (const part of parts) {
        hash.update(part);
        bytes += part.length;
        yield part;
      }
    },
    createWriteStream(path, { flags: 'wx', mode: 0o600, flush: true }),
  );
  return { bytes, sha256: hash.digest('hex') };
}

/** Throws BackupFaults if none of the keys opens it. What the stream gives is authenticated, part by part. */
export async function decryptFile(path: string, identities: readonly string[]): Promise<Readable> {
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity);
  const source = createReadStream(path, { highWaterMark: readBytes });
  try {
    const plain = Readable.from(await decrypted(source, decrypter), { objectMode: false });
    // Also one that nobody has begun to read.
    return plain.once('close', () => source.destroy());
  } catch (error) {
    source.destroy();
    if (isMissingFile(error)) return fault(`${path} is missing`);
    const why = error instanceof Error ? error.message : String(error);
    return fault(`${path} can't be opened with this private key (${why}): give the key of its recipient`);
  }
}

/** Throws BackupFaults if the file is missing, cut off or changed. */
export async function requireUnchanged(path: string, { bytes, sha256 }: StoredFile): Promise<void> {
  const hash = createHash('sha256');
  let read = 0;
  try {
    for await (const part of createReadStream(path, { highWaterMark: readBytes }) as AsyncIterable<Buffer>) {
      hash.update(part);
      read += part.length;
    }
  } catch (error) {
    if (isMissingFile(error)) return fault(`${path} is missing`);
    throw error;
  }
  if (read < bytes) return fault(`${path} is cut off: it has ${read} of ${bytes} bytes`);
  if (read > bytes || hash.digest('hex') !== sha256)
    return fault(`${path} was changed: its SHA-256 is not the recorded one`);
  return undefined;
}
