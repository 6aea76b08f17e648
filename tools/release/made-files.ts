// What a release has besides the tracked files: what every checkout makes from them at its first start, and what needs most of the packages.
// It is made in a checkout of the release's commit alone, so that it can be made again. A commit without this file has none.
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Repository } from './repository.ts';

/** Runs the bootstrap in a checkout: the files below are there afterwards. */
export type Make = (checkout: string) => Promise<void>;

const self = 'tools/release/made-files.ts';
const folders = ['generated', 'dashboard/dist'];
/** Compiled modules hold for one place and one processor. */
const leftOut = /^generated\/(?:compile-cache\/|release\/|\.[^/]*lock$)/;

/** Calls `use` with the words for `git archive` that add these files below `prefix`. */
export async function withMadeFiles<Result>(
  repository: Repository,
  { commit, prefix, make }: { readonly commit: string; readonly prefix: string; readonly make: Make },
  use: (words: readonly string[]) => Promise<Result>,
): Promise<Result> {
  if ((await repository.fileAt(commit, self)) === undefined) return use([]);
  const parent = await mkdtemp(join(tmpdir(), 'tidegate-release-'));
  const checkout = join(parent, 'checkout');
  try {
    await repository.git('worktree', 'add', '--quiet', '--detach', checkout, commit);
    await make(checkout);
    const paths = (await Promise.all(folders.map((folder) => filesIn(checkout, folder)))).flat();
    const kept = paths.filter((path) => !leftOut.test(path)).sort();
    return await use(
      kept.flatMap((path) => [`--prefix=${prefix}${dirname(path)}/`, `--add-file=${join(checkout, path)}`]),
    );
  } finally {
    await repository.git('worktree', 'remove', '--force', checkout).catch(() => undefined);
    await rm(parent, { recursive: true, force: true });
  }
}

async function filesIn(checkout: string, folder: string): Promise<readonly string[]> {
  if (!existsSync(join(checkout, folder))) return [];
  const entries = await readdir(join(checkout, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(checkout.length + 1));
}
