// Reads the file of `backends import`: a list of backends in YAML. All faults are found, each with its line, before any request to the
// server. No message repeats a value that may be a secret.
import { dirname, resolve } from 'node:path';
import { type Document, isAlias, isMap, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { CommandFailure } from '../../cli/failures.ts';
import { type ImportEntry, readEntry } from './import-entry.ts';
import { readBounded, type SecretPlaces } from './import-secrets.ts';

export interface ImportFault {
  readonly line: number;
  /** The backend's name, where it is known. */
  readonly backend: string | null;
  readonly message: string;
}

export interface FoundEntry<Entry = ImportEntry> {
  readonly line: number;
  readonly entry: Entry;
  /** The line of a field inside the entry, or of the nearest node around it. */
  lineOf(path: readonly string[]): number;
}

export interface ImportFile {
  /** Entries without a fault. */
  readonly entries: readonly FoundEntry[];
  /** The readable fields of the others. */
  readonly faulty: readonly FoundEntry<Partial<ImportEntry>>[];
  readonly faults: readonly ImportFault[];
}

const largestFileBytes = 4 * 1024 * 1024;
const mostEntries = 1_000;
const mostAliases = 1_000;

/** Throws CommandFailure when the file can't be read at all. */
export async function readImportFile(path: string, env: SecretPlaces['env']): Promise<ImportFile> {
  const read = await readBounded(path, largestFileBytes);
  if (!read.ok) throw new CommandFailure(read.message);
  return parseImport(read.value, { folder: dirname(resolve(path)), env });
}

export async function parseImport(text: string, places: SecretPlaces): Promise<ImportFile> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const lineAt = (offset: number) => lines.linePos(offset).line;
  const faults = [...document.errors, ...document.warnings].map((error): ImportFault => {
    // The library's message may quote the file; its code does not.
    const message = `not YAML: ${error.code.toLowerCase().replaceAll('_', ' ')}`;
    return { line: lineAt(error.pos[0]), backend: null, message };
  });
  const whole = (message: string): ImportFile => ({
    entries: [],
    faulty: [],
    faults: [{ line: 1, backend: null, message }],
  });
  // The readable part of a faulty file is read too, to find its other faults.
  if (document.errors.some(({ code }) => code !== 'DUPLICATE_KEY')) return { entries: [], faulty: [], faults };
  const list = document.contents;
  if (!isSeq(list) || list.items.length === 0 || list.items.length > mostEntries)
    return whole(`the file must be a list of 1 to ${mostEntries} backends`);
  let values: unknown[];
  try {
    values = document.toJS({ maxAliasCount: mostAliases }) as unknown[];
  } catch {
    return whole('not YAML: its aliases expand too far, or refer to nothing');
  }
  const entries: FoundEntry[] = [];
  const faulty: FoundEntry<Partial<ImportEntry>>[] = [];
  const lineOfName = new Map<string, number>();
  for (const [index, value] of values.entries()) {
    const lineOf = (path: readonly string[]) => lineAt(offsetOf(document, [String(index), ...path]));
    const { entry, faults: found } = await readEntry(value, places);
    const backend = entry.name ?? null;
    faults.push(...found.map(({ path, message }) => ({ line: lineOf(path), backend, message })));
    const line = lineOf(['name']);
    const first = backend === null ? undefined : lineOfName.get(backend);
    if (first !== undefined) faults.push({ line, backend, message: `this name is also on line ${first}` });
    else if (backend !== null) lineOfName.set(backend, line);
    if (found.length === 0) entries.push({ line: lineOf([]), entry: entry as ImportEntry, lineOf });
    else faulty.push({ line: lineOf([]), entry, lineOf });
  }
  return { entries, faulty, faults };
}

/** Offset in the text of the node at a path; if there is none, of the nearest node around it. */
function offsetOf(document: Document, path: readonly string[]): number {
  let node: Node | null | undefined = document.contents;
  let offset = 0;
  for (const part of path) {
    const inside: Node | null | undefined = isAlias(node) ? node.resolve(document) : node;
    if (isMap(inside)) {
      const pair = inside.items.find(({ key }) => String(key) === part);
      if (pair === undefined) break;
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value as Node | null;
    } else if (isSeq(inside)) {
      const item = inside.items[Number(part)] as Node | undefined;
      if (item === undefined) break;
      offset = item.range?.[0] ?? offset;
      node = item;
    } else break;
  }
  return offset;
}
