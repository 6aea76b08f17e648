// Reads the file of `backends import`: a list of backends in YAML. All faults are found, each with its line, before any request to the
// server. No message repeats a value that may be a secret.
import { dirname, resolve } from 'node:path';
import type { SecretPlaces } from '../secrets.ts';
import { parseSource, readText, type SourceFault } from '../source.ts';
import { type ImportEntry, readEntry } from './import-entry.ts';

export interface ImportFault extends SourceFault {
  /** The backend's name, if known. */
  readonly backend: string | null;
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

const mostEntries = 1_000;

/** Throws CommandFailure when the file can't be read at all. */
export async function readImportFile(path: string, places: Omit<SecretPlaces, 'folder'>): Promise<ImportFile> {
  return parseImport(await readText(path), { folder: dirname(resolve(path)), ...places });
}

async function parseImport(text: string, places: SecretPlaces): Promise<ImportFile> {
  const [document] = parseSource(text, { several: false });
  const faults = (document?.faults ?? []).map((fault): ImportFault => ({ ...fault, backend: null }));
  const entries: FoundEntry[] = [];
  const faulty: FoundEntry<Partial<ImportEntry>>[] = [];
  if (document === undefined || document.value === undefined) return { entries, faulty, faults };
  const { value: values } = document;
  if (!Array.isArray(values) || values.length === 0 || values.length > mostEntries) {
    const message = `the file must be a list of 1 to ${mostEntries} backends`;
    return { entries, faulty, faults: [{ line: 1, backend: null, message }] };
  }
  const lineOfName = new Map<string, number>();
  for (const [index, value] of values.entries()) {
    const lineOf = (path: readonly string[]) => document.lineOf([String(index), ...path]);
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
