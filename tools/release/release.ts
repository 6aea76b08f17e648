// A release from the first refusal to the archive. Nothing is written before every condition holds.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { print } from 'graphql';
import { publicPart } from '../../platform/graph/client-sdl.ts';
import { apiSchemaPath } from '../../platform/graph/generated-schema.ts';
import { linesOf, type ReleasedLines, releasedLinesPath } from '../ci/lines.ts';
import { readReleasedGraph, releasedFolder, releasedText } from '../released-graph.ts';
import { type Archive, archiveName, writeArchive } from './archive.ts';
import { type Entries, graphHeading, hasSection, releaseChangelog } from './changelog.ts';
import { entriesOf } from './commits.ts';
import { graphChanges, shortDeprecations } from './graph-changes.ts';
import type { Make } from './made-files.ts';
import { setVersion } from './package-versions.ts';
import { releaseCommit, tagOf } from './release-commit.ts';
import { ReleaseError } from './release-error.ts';
import type { Repository } from './repository.ts';
import { compareVersions, parseVersion } from './semver.ts';

export interface ReleaseOrder {
  readonly repository: Repository;
  readonly version: string;
  /** Where the archive is put. */
  readonly folder: string;
  /** Of the changelog's section, as in 2026-01-31. */
  readonly date: string;
  /** The graph without what only administrators and machines call. Undefined if the tree has no graph. */
  readonly publicSdl: () => string | undefined;
  /** Runs the checks, and the tests if requested. Throws ReleaseError if they fail. */
  readonly verify: () => Promise<void>;
  readonly make: Make;
}

export interface ReleasePlan {
  readonly version: string;
  readonly tag: string;
  readonly archive: string;
  /** Undefined for the first release. */
  readonly previous: { readonly version: string; readonly commit: string } | undefined;
  readonly changelog: string;
  /** Of the changelog. */
  readonly section: string;
  /** What package.json has now. */
  readonly from: string;
}

const mainBranch = 'main';
const changelogFile = 'CHANGELOG.md';
const reasonsFile = 'schema/breaking.md';

/** Plans a release. Throws ReleaseError with every reason why it can't be made. */
export async function planRelease({ repository, version, date, publicSdl }: ReleaseOrder): Promise<ReleasePlan> {
  const read = (path: string) => readFile(join(repository.root, path), 'utf8');
  const { version: from } = JSON.parse(await read('package.json')) as { version: string };
  const faults = [...versionFaults(version, from), ...(await treeFaults(repository)), ...(await tagFaults())];
  if (faults.length > 0) throw new ReleaseError(faults.join('\n'));
  const soon = await deprecationFaults(repository, date);
  if (soon.length > 0) throw new ReleaseError(soon.join('\n'));
  const before = await read(changelogFile);
  const previous = await previousRelease(repository, before, from);
  const { changelog, section } = releaseChangelog(before, {
    ...{ version, date },
    entries: await entriesSince(repository, previous?.commit, publicSdl()),
  });
  return { version, tag: tagOf(version), archive: archiveName(version), previous, changelog, section, from };

  async function tagFaults(): Promise<string[]> {
    const isTaken = (await repository.commitOf(`refs/tags/${tagOf(version)}`)) !== undefined;
    return isTaken ? [`The tag ${tagOf(version)} exists already.`] : [];
  }
}

/** Makes the commit, the annotated tag and the archive. */
export async function makeRelease(
  order: ReleaseOrder,
): Promise<{ plan: ReleasePlan; commit: string; archive: Archive }> {
  const { repository, version, folder, make } = order;
  const plan = await planRelease(order);
  await order.verify();
  const faults = await treeFaults(repository);
  if (faults.length > 0) throw new ReleaseError(`The checks changed the tree. ${faults.join('\n')}`);
  const commit = await commitRelease(repository, plan, order.publicSdl());
  await repository.git('tag', '--annotate', '--message', `Tidegate ${version}`, plan.tag, commit);
  return { plan, commit, archive: await writeArchive(repository, { version, commit, folder, make }) };
}

/** The archive of an earlier release again, from its commit. */
export async function rebuildArchive(
  repository: Repository,
  { version, folder, make }: Pick<ReleaseOrder, 'version' | 'folder' | 'make'>,
): Promise<Archive> {
  const commit = await releaseCommit(repository, version);
  if (commit === undefined)
    throw new ReleaseError(`There is no tag ${tagOf(version)}, and package.json never had the version ${version}.`);
  return writeArchive(repository, { version, commit, folder, make });
}

function versionFaults(version: string, from: string): string[] {
  const [wanted, present] = [parseVersion(version), parseVersion(from)];
  if (wanted === undefined) return [`"${version}" is not a version such as 1.2.3 or 1.2.3-rc.1 (semver.org).`];
  if (present !== undefined && compareVersions(wanted, present) <= 0)
    return [`${version} is not newer than ${from}, the version in package.json.`];
  return [];
}

async function treeFaults(repository: Repository): Promise<string[]> {
  const [branch, changed] = [await repository.branch(), await repository.changedPaths()];
  const isElsewhere = branch !== mainBranch;
  return [
    ...(isElsewhere ? [`The branch is ${branch || 'none'}; a release is made on ${mainBranch}.`] : []),
    ...(changed.length > 0 ? [`These files are not committed: ${changed.join(', ')}.`] : []),
  ];
}

/** A version counts as released once the changelog has its section. */
async function previousRelease(
  repository: Repository,
  changelog: string,
  version: string,
): Promise<ReleasePlan['previous']> {
  if (!hasSection(changelog, version)) return undefined;
  const commit = await releaseCommit(repository, version);
  if (commit === undefined)
    throw new ReleaseError(`${changelogFile} has the release ${version}, but its commit can't be found.`);
  return { version, commit };
}

/** The first release is described by hand: users have no version to compare it with. */
async function entriesSince(
  repository: Repository,
  commit: string | undefined,
  publicSdl: string | undefined,
): Promise<Entries> {
  if (commit === undefined) return new Map();
  const entries = new Map(entriesOf(await repository.commitsSince(commit)));
  const released = await readReleasedGraph(repository.root).catch(() => undefined);
  const changes =
    released === undefined || publicSdl === undefined
      ? []
      : graphChanges(print(publicPart(released.document)), publicSdl);
  return changes.length === 0 ? entries : entries.set(graphHeading, changes);
}

async function deprecationFaults({ root }: Repository, date: string): Promise<string[]> {
  const api = await textOf(root, apiSchemaPath);
  if (api === undefined) return [];
  const released = await readReleasedGraph(root).catch(() => undefined);
  return shortDeprecations(released === undefined ? api : print(released.document), api, date);
}

/**
 * The graph of this release replaces that of the one before, and the reasons for what had changed since are done with. Returns the
 * changed paths. A version that is not final promises nothing.
 */
async function setReleasedGraph(
  { root }: Repository,
  version: string,
  open: string | undefined,
): Promise<readonly string[]> {
  const [api, notes] = await Promise.all([apiSchemaPath, reasonsFile].map((path) => textOf(root, path)));
  if (api === undefined || open === undefined || parseVersion(version)?.preRelease.length !== 0) return [];
  await rm(join(root, releasedFolder), { recursive: true, force: true });
  await mkdir(join(root, releasedFolder), { recursive: true });
  await writeFile(join(root, releasedFolder, `${version}.graphql`), releasedText(version, api, open));
  if (notes === undefined) return [releasedFolder];
  const kept = notes.split('\n').filter((line) => !line.startsWith('- '));
  await writeFile(join(root, reasonsFile), `${kept.join('\n').trimEnd()}\n`);
  return [releasedFolder, reasonsFile];
}

/** The size of the release, to which later commits are compared. Returns the changed paths. A checkout without the file compares nothing. */
async function setReleasedLines(repository: Repository, version: string): Promise<readonly string[]> {
  const path = join(repository.root, releasedLinesPath);
  if ((await textOf(repository.root, releasedLinesPath)) === undefined) return [];
  const released: ReleasedLines = {
    version,
    lines: await linesOf(repository.root, await repository.git('write-tree')),
  };
  await writeFile(path, `${JSON.stringify(released, null, 2)}\n`);
  await repository.git('add', '--', releasedLinesPath);
  return [releasedLinesPath];
}

function textOf(root: string, path: string): Promise<string | undefined> {
  return readFile(join(root, path), 'utf8').catch(() => undefined);
}

/** If it fails, the files are as before. */
async function commitRelease(
  repository: Repository,
  { version, from, changelog }: ReleasePlan,
  publicSdl: string | undefined,
): Promise<string> {
  try {
    await writeFile(join(repository.root, changelogFile), changelog);
    const paths = [
      changelogFile,
      ...(await setVersion(repository, { from, to: version })),
      ...(await setReleasedGraph(repository, version, publicSdl)),
    ];
    await repository.git('add', '--', ...paths);
    paths.push(...(await setReleasedLines(repository, version)));
    await repository.git('commit', '--quiet', '--message', `release: ${tagOf(version)}`, '--', ...paths);
  } catch (error) {
    // The tree was clean a moment ago.
    await repository.git('reset', '--quiet', '--hard');
    await repository.git('clean', '--quiet', '--force', '-d', '--', releasedFolder);
    throw error;
  }
  return repository.git('rev-parse', 'HEAD');
}
