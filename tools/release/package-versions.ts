// The version in package.json and package-lock.json, of the program and of the folders that only build, and of the image.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Repository } from './repository.ts';

interface PackageFile {
  version?: string;
  /** A lock file's own package has the empty name. */
  packages?: Record<string, { version?: string }>;
}

/** Writes `to` into each tracked file that has the version `from`. Returns the paths. */
export async function setVersion(
  repository: Repository,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<readonly string[]> {
  const files = (await repository.trackedFiles()).filter((path) =>
    /(?:^|\/)package(?:-lock)?\.json$|^docker\/(?:Dockerfile|kubernetes\/kustomization\.yaml)$/.test(path),
  );
  const changed: string[] = [];
  for (const path of files) {
    const place = join(repository.root, path);
    const before = await readFile(place, 'utf8');
    const after = path.endsWith('.json') ? withVersion(before, from, to) : withLabel(before, from, to);
    if (after === before) continue;
    await writeFile(place, after);
    changed.push(path);
  }
  return changed;
}

/** In npm's format for these files. */
export function withVersion(text: string, from: string, to: string): string {
  const content = JSON.parse(text) as PackageFile;
  if (content.version !== from) return text;
  content.version = to;
  const own = content.packages?.[''];
  if (own?.version === from) own.version = to;
  return `${JSON.stringify(content, undefined, 2)}\n`;
}

/** The label of the image, and the tag by which Kubernetes gets it. */
function withLabel(text: string, from: string, to: string): string {
  const places = (version: string) => [`org.opencontainers.image.version="${version}"`, `newTag: ${version} }`];
  const [label = '', tag = ''] = places(to);
  const [oldLabel = '', oldTag = ''] = places(from);
  return text.replace(oldLabel, label).replace(oldTag, tag);
}
