// Files in the format of age (age-encryption.org/v1), with their size and SHA-256. What is written is on disk when a function resolves.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { decrypted, encrypted } from './age-payload.ts';
import { BackupFaults, fault, isMissingFile } from './faults.ts';
import type { StoredFile } from './manifest.ts';
import type { Place } from './place.ts';

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

/** `encrypter` serves one file. `mostBytes`: about the most that comes. */
export async function encryptFile(
  place: Place,
  name: string,
  {
    source,
    encrypter,
    mostBytes,
  }: {
    readonly source: AsyncIterable<Buffer>;
    readonly encrypter: Encrypter;
    readonly mostBytes: number;
  },
): Promise<StoredFile> {
  const hash = createHash('sha256');
  let bytes = 0;
  const counted = async function* () {
    for await (const part of encrypted(source, encrypter)) {
      hash.update(part);
      bytes += part.length;
      yield part;
    }
  };
  await place.write(name, counted(), mostBytes);
  return { bytes, sha256: hash.digest('hex') };
}

/** Throws BackupFaults if none of the keys opens it. What the stream gives is authenticated, part by part. */
export async function decryptFile(place: Place, name: string, identities: readonly string[]): Promise<Readable> {
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity);
  const path = `${place.shown}/${name}`;
  const source = (await place.read(name)) ?? fault(`${path} is missing`);
  try {
    const plain = Readable.from(await decrypted(source, decrypter), { objectMode: false });
    // Also one that nobody has begun to read.
    return plain.once('close', () => source.destroy());
  } catch (error) {
    source.destroy();
    if (error instanceof BackupFaults) throw error;
    const why = error instanceof Error ? error.message : String(error);
    return fault(`${path} can't be opened with this private key (${why}): give the key of its recipient`);
  }
}

/** Throws BackupFaults if the file is missing, cut off or changed. */
export async function requireUnchanged(place: Place, name: string, { bytes, sha256 }: StoredFile): Promise<void> {
  const path = `${place.shown}/${name}`;
  const source = (await place.read(name)) ?? fault(`${path} is missing`);
  const hash = createHash('sha256');
  let read = 0;
  for await (const part of source as AsyncIterable<Buffer>) {
    hash.update(part);
    read += part.length;
  }
  if (read < bytes) return fault(`${path} is cut off: it has ${read} of ${bytes} bytes`);
  if (read > bytes || hash.digest('hex') !== sha256)
    return fault(`${path} was changed: its SHA-256 is not the recorded one`);
  return undefined;
}
