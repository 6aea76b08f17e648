// The files of a release: its notes, its public graph, and its archive. They come from its commit alone, so that they can be made again.
// The archive has the tracked files, so that package-lock.json pins every package, and what is made from them. A package of npm would not do: Node strips
// no types in files under node_modules. The same commit gives the same bytes: names are sorted, all times are the commit's, the owner
// is root, and nothing of the user's settings of git or umask has an influence.
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parse, print } from 'graphql';
import { publicPart } from '../../platform/graph/client-sdl.ts';
import { releasedFolder } from '../released-graph.ts';
import { sectionOf } from './changelog.ts';
import { type Make, withMadeFiles } from './made-files.ts';
import type { Repository } from './repository.ts';

export interface Archive {
  readonly path: string;
  /** File next to the archive, for `sha256sum --check`. */
  readonly sumPath: string;
  readonly sha256: string;
  /** Also beside it: the notes, and the public graph of a final version. */
  readonly others: readonly string[];
}

const fixedSettings = ['tar.umask=0022', 'core.autocrlf=false', 'core.eol=lf', 'core.attributesFile=/dev/null'];

export const archiveName = (version: string): string => `tidegate-${version}.tar.gz`;

interface ReleaseFiles {
  readonly version: string;
  readonly commit: string;
  readonly folder: string;
  readonly make: Make;
}

/** `commit` must be a full hash: of a tree, git takes the current time. It creates `folder`. */
export async function writeArchive(
  repository: Repository,
  { version, commit, folder, make }: ReleaseFiles,
): Promise<Archive> {
  const settings = fixedSettings.flatMap((each) => ['-c', each]);
  const prefix = `tidegate-${version}/`;
  const tar = await withMadeFiles(repository, { commit, prefix, make }, (made) =>
    // The last prefix is that of the tracked files.
    repository.gitBytes(...settings, 'archive', '--format=tar', ...made, `--prefix=${prefix}`, commit),
  );
  // zlib writes no time and no name into the header.
  const bytes = gzipSync(tar, { level: 9 });
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const path = join(folder, archiveName(version));
  const sumPath = `${path}.sha256`;
  await mkdir(folder, { recursive: true });
  await writeFile(path, bytes);
  await writeFile(sumPath, `${sha256}  ${basename(path)}\n`);
  return { path, sumPath, sha256, others: await writeOthers(repository, { version, commit, folder }) };
}

async function writeOthers(
  repository: Repository,
  { version, commit, folder }: Omit<ReleaseFiles, 'make'>,
): Promise<string[]> {
  const notes = sectionOf((await repository.fileAt(commit, 'CHANGELOG.md')) ?? '', version);
  const graph = await repository.fileAt(commit, `${releasedFolder}/${version}.graphql`);
  const open = graph && `${print(publicPart(parse(graph, { noLocation: true })))}\n`;
  const files = [
    ['md', notes && `# Tidegate ${version}\n\n${notes}\n`],
    ['graphql', open],
  ] as const;
  const written = files.map(async ([ending, text]) => {
    const path = join(folder, `tidegate-${version}.${ending}`);
    if (text !== undefined) await writeFile(path, text);
    return text === undefined ? [] : [path];
  });
  return (await Promise.all(written)).flat();
}
