// Source files and tests that pages name in code spans exist: nothing else notices when a file moves.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SourceFile } from './source-files.ts';

/** No pattern, and no placeholder such as NAME. */
const span = /`((?:[a-z0-9_.-]+\/)+[a-z0-9_.-]*)`/g;

/** `paths`: of every source file. A page may leave out the first folders of a file. */
export function faultsOfPage(page: string, text: string, paths: readonly string[]): string[] {
  const exists = (named: string) =>
    paths.some((path) => `/${path}`.endsWith(`/${named}`) || path.startsWith(`${named.replace(/\/$/, '')}/`));
  return [...text.matchAll(span)]
    .map(([, named = '']) => named)
    .filter((named) => /^tests\/[^.]*$|\.tsx?$/.test(named) && !exists(named))
    .map((named) => `${page} names ${named}, which does not exist`);
}

/** Not of the records in docs/decisions, which tell what was there when they were written. Folded ones name the code that took their place. */
export async function findDocPathFaults(root: string, files: readonly SourceFile[]): Promise<string[]> {
  const paths = files.map(({ path }) => path);
  const inFolder = async (folder: string) =>
    (await readdir(join(root, folder))).filter((name) => name.endsWith('.md')).map((name) => join(folder, name));
  const pages = [
    ...(await inFolder('.')),
    ...(await inFolder('docs')),
    ...(await inFolder('docs/decisions/folded')),
  ].filter((page) => page !== 'CHANGELOG.md');
  const faults = pages.map(async (page) => faultsOfPage(page, await readFile(join(root, page), 'utf8'), paths));
  return (await Promise.all(faults)).flat();
}
