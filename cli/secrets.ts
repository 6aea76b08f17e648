// Secrets of a file that is applied: they come from a file or from the environment, never from the applied file itself, which is under version
// control and read by many. Its author also chooses the host to which a secret is sent. So the person who applies it has to allow the variables and
// the folder that it may name.
import { open, realpath } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { several, text, type Values } from './option.ts';
import type { Surroundings } from './verb.ts';

/** Options of commands that read secrets for a file. */
export const secretOptions = {
  'secret-env': several(
    'NAME',
    'Variable of the environment that the file may name, in addition to TIDEGATE_SECRET_….',
  ),
  'secret-folder': text('DIR', 'The folder whose files the file may name.'),
} as const;

interface AllowedSecrets {
  /** In addition to `alwaysAllowed`. */
  readonly variables: readonly string[];
  /** Undefined if no files are allowed. */
  readonly folder: string | undefined;
  /** Ways in which a person allows a variable or a file, for messages. */
  readonly how: { variable(name: string): string; readonly file: string };
}

/** Origin of secrets. */
export interface SecretPlaces {
  /** The base of relative paths. */
  readonly folder: string;
  readonly env: Surroundings['env'];
  /** Secrets that the author of a file may name. `all` if a person names them on the command line. */
  readonly allowed: AllowedSecrets | 'all';
}

const alwaysAllowed = 'TIDEGATE_SECRET_';

export function allowedBy(options: Values<typeof secretOptions>): AllowedSecrets {
  return {
    ...{ variables: options['secret-env'], folder: options['secret-folder'] },
    how: { variable: (name) => `allow it with --secret-env ${name}`, file: 'name its folder with --secret-folder DIR' },
  };
}

/** For the file of --from. Each of its secrets has an option, which accepts any file. */
export const allowedFrom: AllowedSecrets = {
  ...{ variables: [], folder: undefined },
  how: { variable: () => `rename it to ${alwaysAllowed}…`, file: 'give it with the option of the field' },
};

type TextRead = { readonly ok: true; readonly value: string } | { readonly ok: false; readonly message: string };

/** The limits of the graph: 60,000 characters of certificates, 15,000 of a secret. */
const largestSecretBytes = 65_536;

/** PEM texts have several lines, the last of which must end with a line feed. */
const severalLines: ReadonlySet<string> = new Set(['privateKey', 'clientCertificate']);
/** A shorter secret is part of too many words to be replaced in a message. */
const shortestHidden = 4;

/** Reads `{ env: NAME }` or `{ file: PATH }`. `name`: the field, for messages. No message quotes any other value, because it may be the secret. */
export async function readSecret(name: string, source: unknown, places: SecretPlaces): Promise<TextRead> {
  if (typeof source !== 'object' || source === null || Array.isArray(source))
    return failed(
      `${name} is written in the file: put it into a file of its own or into the environment, and write { file: PATH } or { env: NAME } instead`,
    );
  const given = Object.entries(source);
  const [kind, place] = given[0] ?? [];
  if (given.length !== 1 || (kind !== 'env' && kind !== 'file') || typeof place !== 'string' || place === '')
    return failed(`${name} must be { file: PATH } or { env: NAME }, and nothing else`);
  const read = kind === 'env' ? fromEnvironment(place, places) : await readPlaced(place, places);
  if (!read.ok) return failed(`${name}: ${read.message}`);
  const value = severalLines.has(name.split('.').at(-1) ?? '')
    ? `${read.value.trim()}\n`
    : read.value.replace(/\r?\n$/, '');
  return value.trim() === '' ? failed(`${name}: ${place} is empty`) : { ok: true, value };
}

/** A file that a file refers to, of at most `largestSecretBytes`. */
export async function readPlaced(place: string, { folder, allowed }: SecretPlaces): Promise<TextRead> {
  const path = resolve(folder, place);
  if (allowed === 'all') return readBounded(path, largestSecretBytes);
  if (allowed.folder === undefined) return failed(`${place} is a file: ${allowed.how.file}`);
  const outside = () => failed(`${place} is not in ${allowed.folder}, the folder of --secret-folder`);
  if (!isBelow(path, resolve(allowed.folder))) return outside();
  try {
    const [real, base] = await Promise.all([realpath(path), realpath(allowed.folder)]);
    return isBelow(real, base) ? await readBounded(real, largestSecretBytes) : outside();
  } catch (error) {
    return unreadable(path, error);
  }
}

function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`);
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
    // A pipe returns only its present content.
    do {
      ({ bytesRead } = await file.read(buffer, size, buffer.length - size, null));
      size += bytesRead;
    } while (bytesRead > 0 && size <= mostBytes);
    if (size > mostBytes) return failed(`${path} is larger than ${mostBytes} bytes`);
    return { ok: true, value: buffer.toString('utf8', 0, size) };
  } catch (error) {
    return unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): TextRead {
  const { code = 'unknown error' } = error as NodeJS.ErrnoException;
  return failed(`${path} can't be read: ${reasons[code] ?? code}`);
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

function fromEnvironment(variable: string, { env, allowed }: SecretPlaces): TextRead {
  if (allowed !== 'all' && !variable.startsWith(alwaysAllowed) && !allowed.variables.includes(variable))
    return failed(
      `the variable ${variable} may not be used, as its name does not begin with ${alwaysAllowed}: ${allowed.how.variable(variable)}`,
    );
  const value = env[variable];
  return value === undefined ? failed(`${variable} is not set in the environment`) : { ok: true, value };
}

function failed(message: string): TextRead {
  return { ok: false, message };
}
