// Import cycles, each named by one way round.
import type { SourceFile } from './source-files.ts';

/** Type-only imports count too: two files that need each other's types are one idea, or three. */
export function findCycles(files: readonly SourceFile[]): string[] {
  const edges = new Map(
    files.map((file) => [file.path, file.imports.filter((each) => each.ours).map((each) => each.target)]),
  );
  const done = new Set<string>();
  const faults: string[] = [];
  for (const start of edges.keys()) walk(start, edges, done, [], new Set(), faults);
  return faults;
}

function walk(
  path: string,
  edges: ReadonlyMap<string, readonly string[]>,
  done: Set<string>,
  way: string[],
  onWay: Set<string>,
  faults: string[],
): void {
  if (onWay.has(path)) {
    faults.push(`import cycle: ${[...way.slice(way.indexOf(path)), path].join(' → ')}`);
    return;
  }
  if (done.has(path)) return;
  way.push(path);
  onWay.add(path);
  for (const target of edges.get(path) ?? []) walk(target, edges, done, way, onWay, faults);
  way.pop();
  onWay.delete(path);
  done.add(path);
}
