// Import cycles, each listed once.
import type { SourceFile } from './source-files.ts';

/** Type-only imports count too: two files that need each other's types are one idea, or three. */
export function findCycles(files: readonly SourceFile[]): string[] {
  const edges = new Map(
    files.map((file) => [file.path, file.imports.filter((each) => each.ours).map((each) => each.target)]),
  );
  return circlesIn(edges).map((circle) => `import cycle: ${circle.join(' → ')}`);
}

/** Cycles of a graph, each once, as its nodes in order with the first one repeated at the end. */
export function circlesIn(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const done = new Set<string>();
  const circles: string[][] = [];
  for (const start of edges.keys()) walk(start, edges, done, [], new Set(), circles);
  return circles;
}

function walk(
  node: string,
  edges: ReadonlyMap<string, readonly string[]>,
  done: Set<string>,
  way: string[],
  onWay: Set<string>,
  circles: string[][],
): void {
  if (onWay.has(node)) {
    circles.push([...way.slice(way.indexOf(node)), node]);
    return;
  }
  if (done.has(node)) return;
  way.push(node);
  onWay.add(node);
  for (const target of edges.get(node) ?? []) walk(target, edges, done, way, onWay, circles);
  way.pop();
  onWay.delete(node);
  done.add(node);
}
