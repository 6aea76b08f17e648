// What each source file of the checkout imports, read from its text. Plain JavaScript without packages: the bootstrap needs it before
// any package is installed.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const skipped = new Set(['node_modules', 'generated', 'dist']);
const source = /\.(?:ts|tsx|mjs|js)$/;

// As Biome formats them: an import begins a line, and the name of its module ends it. Those of types are erased.
const staticImport = /^(?:import|export) (?!type\b)(?:[^'";]* from )?'(\.[^'\n]+)'/gm;
const dynamicImport = /\bimport\('(\.[^'\n]+)'\)/g;
const fileBeside = /(?<!\bfrom )'((?:\.\.?\/[\w./-]+\/)?[\w.-]+\.(?:ts|tsx|mjs|js)|\.\.?\/[\w./-]+)'/g;
const joinedPath = /\bimport\.meta\.dirname((?:,\s*'[^'\n]+')+)/g;

/**
 * @typedef {object} Source
 * @property {readonly string[]} imports static imports and re-exports that remain at run time
 * @property {readonly string[]} loads dynamic imports
 * @property {readonly string[]} starts files that it names: programs and workers
 * @property {readonly string[]} needs see tiers.mjs
 */

/** Files are read when they are asked for. */
export class Sources {
  #root;
  #paths;
  #parsed = new Map();

  constructor(root) {
    this.#root = root;
    this.#paths = new Set(sourcesUnder(root, ''));
  }

  /** From the root, with forward slashes. */
  get paths() {
    return this.#paths;
  }

  /** @returns {Source} */
  of(path) {
    let source = this.#parsed.get(path);
    if (source === undefined) {
      source = parseSource(path, this.textOf(path), this.#paths);
      this.#parsed.set(path, source);
    }
    return source;
  }

  textOf(path) {
    return readFileSync(join(this.#root, path), 'utf8');
  }

  /** `path` and all that it reaches; `edgesOf` gives the steps of one file. */
  reach(path, edgesOf) {
    const reached = new Set([path]);
    for (const each of reached) for (const next of edgesOf(each, this.of(each))) reached.add(next);
    return reached;
  }
}

/** `paths`: all files that it can refer to. */
export function parseSource(path, text, paths) {
  const folder = dirname(path);
  const found = (expression, targetOf = ([, target]) => join(folder, target)) =>
    [...text.matchAll(expression)].map(targetOf).filter((target) => target !== path && paths.has(target));
  const imports = new Set(found(staticImport));
  const loads = new Set(found(dynamicImport).filter((target) => !imports.has(target)));
  const starts = [
    ...found(fileBeside),
    ...found(joinedPath, ([, words]) => join(folder, ...[...words.matchAll(/'([^']+)'/g)].map(([, word]) => word))),
  ].filter((target) => !imports.has(target) && !loads.has(target));
  return { imports: [...imports], loads: [...loads], starts: [...new Set(starts)], needs: needsIn(text) };
}

/** From lines `// needs: NAME, NAME`. */
function needsIn(text) {
  return [...text.matchAll(/^\/\/ needs: (.+)$/gm)].flatMap(([, names]) => names.split(',').map((name) => name.trim()));
}

function* sourcesUnder(root, folder) {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    if (entry.name.startsWith('.') || skipped.has(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* sourcesUnder(root, path);
    else if (entry.isFile() && (source.test(entry.name) || path === 'bin/tidegate')) yield path;
  }
}
