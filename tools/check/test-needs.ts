// The inputs that determine a test's tier and packages (tools/tests/) must be right: imports, as parsed from the text, and the needs that files list.
import { basename } from 'node:path';
// @ts-expect-error It has no types: the bootstrap runs it.
import { PACKAGES } from '../../bin/boot/package-table.mjs';
// @ts-expect-error
import { Sources as SourcesOf } from '../tests/imports.mjs';
// @ts-expect-error
import { needsOf, unknownNeeds } from '../tests/tiers.mjs';
import type { SourceFile } from './source-files.ts';

const packages = PACKAGES as readonly { readonly name: string; readonly places: readonly (readonly string[])[] }[];
/** Programs that are started by their names; nothing else has these. */
const clients: ReadonlySet<string> = new Set(['curl', 'dig', 'hey', 'fping']);
const startsPrograms = /^(?:tests|bench|measure|trials|simulators)\//;
/** These files only compare paths. */
const startsNone = new Set(['tests/lab/clock-library.test.ts']);

interface Sources {
  readonly paths: ReadonlySet<string>;
  of(path: string): { readonly imports: readonly string[]; readonly loads: readonly string[] };
}

export function findNeedFaults(root: string, files: readonly SourceFile[]): string[] {
  const sources = new SourcesOf(root) as Sources;
  const unknown: string[] = unknownNeeds(
    sources,
    packages.map(({ name }) => name),
  );
  return [...unknown, ...files.flatMap((file) => [...importFaults(sources, file), ...undeclared(sources, file)])];
}

function importFaults(sources: Sources, file: SourceFile): string[] {
  const { imports, loads } = sources.of(file.path);
  const found = new Set([...imports, ...loads]);
  const known = file.imports.filter(({ target, ours, typeOnly }) => ours && !typeOnly && sources.paths.has(target));
  const real = new Set(known.map(({ target }) => target));
  return [
    ...[...real].filter((path) => !found.has(path)).map((path) => `imports ${path}`),
    ...[...found].filter((path) => !real.has(path)).map((path) => `does not import ${path}`),
  ].map((fault) => `${file.path} ${fault}: tools/tests/imports.mjs reads something else`);
}

/** A program of a package, by its path, or as the first word of a command. */
function undeclared(sources: Sources, file: SourceFile): string[] {
  if (!startsPrograms.test(file.path) || startsNone.has(file.path)) return [];
  const needed = needsOf(sources, file.path) as ReadonlyMap<string, string>;
  const named = new Set(file.strings.flatMap((text) => [text, text.split(' ')[0] ?? '']));
  const names = (place: string) => named.has(place) || (clients.has(basename(place)) && named.has(basename(place)));
  return packages
    .filter(({ name, places }) => !needed.has(name) && places.flat().some(names))
    .map(({ name }) => `${file.path} names a program of ${name}: add the line "// needs: ${name}"`);
}
