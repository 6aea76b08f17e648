// Finds the commit of an earlier release. A clone may come without tags: then the history of package.json has the answer.
import { ReleaseError } from './release-error.ts';
import type { Repository } from './repository.ts';

export const tagOf = (version: string): string => `v${version}`;

/** The commit of the tag, or else the latest one in which package.json took that version. Undefined if there is none. */
export async function releaseCommit(repository: Repository, version: string): Promise<string | undefined> {
  return (await repository.commitOf(`refs/tags/${tagOf(version)}`)) ?? (await commitOfVersion(repository, version));
}

async function commitOfVersion(repository: Repository, version: string): Promise<string | undefined> {
  // Both the commit that wrote this text and the one that replaced it.
  const found = await repository.git('log', '--format=%H', `-S"version": "${version}"`, '--', 'package.json');
  for (const commit of found.split('\n').filter((each) => each !== '')) {
    if ((await versionAt(repository, commit)) !== version) continue;
    if (await isCutOff(repository, commit))
      throw new ReleaseError(
        `The history of this clone begins after package.json took ${version}: git fetch --unshallow`,
      );
    return commit;
  }
  return undefined;
}

async function versionAt(repository: Repository, commit: string): Promise<string | undefined> {
  const text = await repository.fileAt(commit, 'package.json');
  return text === undefined ? undefined : (JSON.parse(text) as { version?: string }).version;
}

/** The oldest commit of a shallow clone seems to add every file. */
async function isCutOff(repository: Repository, commit: string): Promise<boolean> {
  if ((await repository.git('rev-parse', '--is-shallow-repository')) !== 'true') return false;
  return (await repository.git('rev-list', '--parents', '--max-count=1', commit)) === commit;
}
