// Reads a file of YAML or JSON, with the line of each part. Size, nesting and expansion are limited. No message repeats a value, because it may be a
// secret.
import { type Document, isAlias, isMap, isSeq, LineCounter, type Node, parseAllDocuments, parseDocument } from 'yaml';
import { nestsDeeperThan } from '../platform/values/json.ts';
import { CommandFailure } from './failures.ts';
import { readBounded } from './secrets.ts';

export interface SourceFault {
  readonly line: number;
  readonly message: string;
}

export interface ManifestSource {
  /** Undefined if it can't be read. */
  readonly value: unknown;
  readonly faults: readonly SourceFault[];
  /** Line of the value at a path, or of the nearest node around it. */
  lineOf(path: readonly string[]): number;
}

const largestFileBytes = 4 * 1024 * 1024;
const mostAliases = 1_000;
const deepest = 32;

/** Throws CommandFailure when the file can't be read. */
export async function readText(path: string, mostBytes: number = largestFileBytes): Promise<string> {
  const read = await readBounded(path, mostBytes);
  if (!read.ok) throw new CommandFailure(read.message);
  return read.value;
}

/** `several`: YAML documents separated by `---`. Otherwise exactly one. */
export function parseSource(text: string, { several }: { readonly several: boolean }): readonly ManifestSource[] {
  const lines = new LineCounter();
  const options = { lineCounter: lines, prettyErrors: false };
  const lineAt = (offset: number) => lines.linePos(offset).line;
  let documents: readonly Document[];
  try {
    const parsed = several ? parseAllDocuments(text, options) : [parseDocument(text, options)];
    documents = Array.isArray(parsed) ? (parsed as Document[]) : [];
  } catch {
    // The parser calls itself for each level.
    return [unreadable('not YAML: it is nested too deep')];
  }
  return documents.map((document) => readDocument(document, lineAt));
}

function readDocument(document: Document, lineAt: (offset: number) => number): ManifestSource {
  const faults = [...document.errors, ...document.warnings].map((error): SourceFault => {
    // The library's message may quote the file; its code does not.
    const message = `not YAML: ${error.code.toLowerCase().replaceAll('_', ' ')}`;
    return { line: lineAt(error.pos[0]), message };
  });
  const lineOf = (path: readonly string[]) => lineAt(offsetOf(document, path));
  const bad = (message: string): ManifestSource => ({
    value: undefined,
    faults: [...faults, { line: lineOf([]), message }],
    lineOf,
  });
  // Also reads the valid part of a faulty file, to find its other faults.
  if (document.errors.some(({ code }) => code !== 'DUPLICATE_KEY')) return { value: undefined, faults, lineOf };
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: mostAliases });
  } catch {
    return bad('not YAML: its aliases expand too far, or refer to nothing');
  }
  if (nestsDeeperThan(value, deepest)) return bad(`it is nested deeper than ${deepest} levels`);
  return { value: value ?? null, faults, lineOf };
}

function unreadable(message: string): ManifestSource {
  return { value: undefined, faults: [{ line: 1, message }], lineOf: () => 1 };
}

/** Offset of the node at a path, or of the nearest node around it. */
function offsetOf(document: Document, path: readonly string[]): number {
  let node: Node | null | undefined = document.contents;
  let offset = node?.range?.[0] ?? 0;
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
