// Secrets of a file that is applied: they come from a file or from the environment, never from the applied file itself, which is
// under version control and read by many.
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Surroundings } from '../verb.ts';

/** Base folder of relative paths, and the available variables. */
export interface SecretPlaces {
  readonly folder: string;
  readonly env: Surroundings['env'];
}

type TextRead = { readonly ok: true; readonly value: string } | { readonly ok: false; readonly message: string };

/** The limits of the graph: 60,000 characters of certificates, 15,000 of a secret. */
export const largestSecretBytes = 65_536;

/** PEM texts have several lines, the last of which must end with a line feed. */
const severalLines: ReadonlySet<string> = new Set(['privateKey', 'clientCertificate']);
/** A shorter secret is part of too many words to be replaced in a message. */
const shortestHidden = 4;

/** Reads `{ env: NAME }` or `{ file: PATH }`. `name`: the field, for messages. No message quotes any other value: it may be the secret. */
export async function readSecret(name: string, source: unknown, places: SecretPlaces): Promise<TextRead> {
  if (typeof source !== 'object' || source === null || Array.isArray(source))
    return failed(
      `${name} is written in the file: put it into a file of its own or into the environment, and write { file: PATH } or { env: NAME } instead`,
    );
  const given = Object.entries(source);
  const [kind, place] = given[0] ?? [];
  if (given.length !== 1 || (kind !== 'env' && kind !== 'file') || typeof place !== 'string' || place === '')
    return failed(`${name} must be { file: PATH } or { env: NAME }, and nothing else`);
  const read =
    kind === 'env'
      ? fromEnvironment(place, places.env)
      : await readBounded(resolve(places.folder, place), largestSecretBytes);
  if (!read.ok) return failed(`${name}: ${read.message}`);
  const value = severalLines.has(name.split('.').at(-1) ?? '')
    ? `${read.value.trim()}\n`
    : read.value.replace(/\r?\n$/, '');
  return value.trim() === '' ? failed(`${name}: ${place} is empty`) : { ok: true, value };
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'you may not read it',
  EISDIR: 'it is a folder',
};

/** A text file, or a pipe up to its end. */
export async function readBounded(path: string, mostBytes: number): Promise<TextRead> {
  try {
    await using file = await open(path);
    const buffer = Buffer.alloc(mostBytes + 1);
    let size = 0;
    let bytesRead: number;
    // A pipe gives no more than what is in it at the moment.
    do {
      ({ bytesRead } = await file.read(buffer, size, buffer.length - size, null));
      size += bytesRead;
    } while (bytesRead > 0 && size <= mostBytes);
    if (size > mostBytes) return failed(`${path} is larger than ${mostBytes} bytes`);
    return { ok: true, value: buffer.toString('utf8', 0, size) };
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    return failed(`${path} can't be read: ${reasons[code] ?? code}`);
  }
}

/** A message of the server with the secrets replaced, in case it contains any. */
export function hideSecrets(text: string, secrets: readonly string[]): string {
  return (
    secrets
      .filter((secret) => secret.length >= shortestHidden)
      // One may be a part of another.
      .toSorted((one, other) => other.length - one.length)
      .reduce((hidden, secret) => hidden.replaceAll(secret, '•••'), text)
  );
}

function fromEnvironment(variable: string, env: Surroundings['env']): TextRead {
  const value = env[variable];
  return value === undefined ? failed(`${variable} is not set in the environment`) : { ok: true, value };
}

function failed(message: string): TextRead {
  return { ok: false, message };
}
