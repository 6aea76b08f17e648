// The files of `-f`: one file, standard input, or the files of a folder. Their lines have consecutive numbers, so that one number identifies each
// place in a plan.
import { readdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { CommandFailure } from '../failures.ts';
import { readInput } from '../read-input.ts';
import { readText } from '../source.ts';
import type { Surroundings } from '../verb.ts';

export interface ManifestFile {
  /** Path in messages. */
  readonly path: string;
  /** Path within the named folder, otherwise the path itself. */
  readonly short: string;
  /** The base of relative paths in it. */
  readonly folder: string;
  readonly text: string;
}

/** Limit of all files together. */
const mostBytes = 32 * 1024 * 1024;
const mostFiles = 1_000;
/** Limit of names in folders. */
const mostNames = 100_000;
const isManifest = (name: string) => /\.(ya?ml|json)$/i.test(name);
/** Editors and version control keep their own files under such names. */
const isHidden = (name: string) => name.startsWith('.');

/** Sorted by name. `path`: `-` is standard input. Throws CommandFailure with the name of the file. */
export async function readFiles(
  path: string,
  { recursive, ...input }: { readonly recursive: boolean } & Pick<Surroundings, 'stdin' | 'signal'>,
): Promise<readonly ManifestFile[]> {
  if (path === '-') {
    const text = await readInput(path, input, mostBytes);
    return [{ path: 'standard input', short: 'standard input', folder: process.cwd(), text }];
  }
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    // Reading it explains why it is unreadable.
    () => false,
  );
  if (!isFolder) return [await readOne(path, path)];
  const names = await namesIn(path, recursive);
  const files: ManifestFile[] = [];
  let bytes = 0;
  for (const short of names) {
    const file = await readOne(join(path, short), short);
    bytes += Buffer.byteLength(file.text);
    if (bytes > mostBytes)
      throw new CommandFailure(`the files of ${path} have more than ${mostBytes} bytes together, up to ${file.path}`);
    files.push(file);
  }
  return files;
}

async function readOne(path: string, short: string): Promise<ManifestFile> {
  return { path, short, folder: dirname(resolve(path)), text: await readText(path, mostBytes) };
}

/** Paths within the folder. */
async function namesIn(folder: string, recursive: boolean): Promise<readonly string[]> {
  const found: string[] = [];
  const inner: string[] = [];
  const folders = [''];
  let looked = 0;
  for (let below = folders.pop(); below !== undefined; below = folders.pop()) {
    for (const entry of await entriesOf(join(folder, below))) {
      looked += 1;
      if (looked > mostNames) throw new CommandFailure(`${folder} has more than ${mostNames} files and folders`);
      const name = join(below, entry.name);
      if (isHidden(entry.name)) continue;
      if (entry.isDirectory()) (recursive ? folders : inner).push(name);
      else if (isManifest(entry.name) && !(await isLinkToFolder(join(folder, name), entry))) found.push(name);
    }
  }
  if (found.length > mostFiles)
    throw new CommandFailure(`${folder} has ${found.length} files to apply; at most ${mostFiles} are read`);
  if (found.length === 0) {
    const deeper = inner.length === 0 ? '' : '; with -R the folders in it are read, too';
    throw new CommandFailure(`${folder} has no file that ends in .yaml, .yml or .json${deeper}`);
  }
  return found.sort((one, other) => (one < other ? -1 : 1));
}

async function entriesOf(folder: string) {
  return readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    throw new CommandFailure(`${folder} can't be read: ${error.code ?? String(error)}`);
  });
}

/** Such a link may lead around in a circle. */
async function isLinkToFolder(path: string, entry: { isSymbolicLink(): boolean }): Promise<boolean> {
  if (!entry.isSymbolicLink()) return false;
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

interface Place {
  readonly file: string;
  readonly short: string;
  readonly line: number;
}

/** Lines of several files, numbered consecutively from 1. */
export class FileLines {
  readonly #files: readonly { readonly file: string; readonly short: string; readonly before: number }[];

  constructor(files: readonly ManifestFile[]) {
    let before = 0;
    this.#files = files.map(({ path, short, text }) => {
      const first = before;
      before += text.split('\n').length;
      return { file: path, short, before: first };
    });
  }

  /** The lines of earlier files. `at`: the index of the file. */
  before(at: number): number {
    return this.#files[at]?.before ?? 0;
  }

  /** Undefined for line 0, which means no line. */
  placeOf(line: number): Place | undefined {
    const found = this.#files.findLast(({ before }) => before < line);
    return found && { file: found.file, short: found.short, line: line - found.before };
  }

  /** `on line 3`, or `in web.yaml:3` if there are several files. */
  words(line: number): string {
    const place = this.placeOf(line);
    return place === undefined || this.#files.length === 1
      ? `on line ${place?.line ?? line}`
      : `in ${place.file}:${place.line}`;
  }

  /** The line in a table: `3`, or `web.yaml:3` if there are several files. */
  cell(line: number): string {
    const place = this.placeOf(line);
    if (place === undefined) return '-';
    return this.#files.length === 1 ? String(place.line) : `${place.short}:${place.line}`;
  }
}
