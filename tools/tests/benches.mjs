// The file of a benchmark or trial, from the table that loads it: what it needs is installed before it can be loaded.
import { posix } from 'node:path';

const tables = ['bench/tables.ts', 'trials/tables.ts'];
const nameOfTable = { bench: 'benches', trials: 'trials' };

/**
 * @param {import('./imports.mjs').Sources} sources
 * @param {string} kind bench or trials
 * @returns {string | undefined} from the root; undefined: there is none of that name
 */
export function fileOfBench(sources, kind, name) {
  for (const path of tables.filter((each) => sources.paths.has(each))) {
    const [, table = ''] = sources.textOf(path).split(`export const ${nameOfTable[kind]}`);
    const rows = table.slice(0, table.indexOf('\n};')).matchAll(/^ {2}'?([\w-]+)'?: [\s\S]*?import\('([^']+)'\)/gm);
    for (const [, row, file] of rows) if (row === name) return posix.join(posix.dirname(path), file);
  }
  return undefined;
}
