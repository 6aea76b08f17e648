// The generated part of the graph, which `npm run compose` writes to generated/schema/: the supergraph, and the SDL made from typed
// kinds. schema-hashes.json has the hash of each file that was read for them and of each that was written. If one differs now, none
// is used. bin/boot/generated-schema.mjs checks the same before a start, with a Node that can't run TypeScript.
import { hash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

/** All from the root of the checkout. */
export const generatedFolder = 'generated/schema/';
export const hashesPath = 'generated/schema-hashes.json';
export const supergraphPath = `${generatedFolder}supergraph.graphql`;
export const madeSdlPath = (subgraph: string) => `${generatedFolder}${subgraph}.made.graphql`;
/** The folder for schemas that people write. Only api.graphql in it is generated, by `npm run compose`. */
export const writtenFolder = 'schema/';
export const apiSchemaPath = `${writtenFolder}api.graphql`;
/** api.graphql without what only administrators and machines call. Not beside the SDL that types are generated from. */
export const publicSchemaPath = 'generated/public.graphql';

/** generated/schema/ is missing or out of date. */
export class GeneratedSchemaError extends Error {
  constructor(fault: string) {
    super(`${generatedFolder} ${fault}: npm run compose`);
    this.name = 'GeneratedSchemaError';
  }
}

const checkout = new URL('../../', import.meta.url);

/** The SDL that is made from typed kinds, by subgraph. Throws GeneratedSchemaError. */
export function readMadeSdl(root = checkout): ReadonlyMap<string, string> {
  const named = Object.keys(verifiedHashes(root)).flatMap((path) => {
    const name = path.startsWith(generatedFolder) ? /([^/]+)\.made\.graphql$/.exec(path)?.[1] : undefined;
    return name === undefined ? [] : [[name, readFileSync(new URL(path, root), 'utf8')] as const];
  });
  return new Map(named);
}

/** SDL of the supergraph of all subgraphs. Throws GeneratedSchemaError. */
export function readSupergraph(root = checkout): string {
  verifiedHashes(root);
  return readFileSync(new URL(supergraphPath, root), 'utf8');
}

/** Paths of the SDL that people write. */
export function writtenSdlPaths(root: URL): string[] {
  const names = readdirSync(new URL(writtenFolder, root)).filter((name) => name.endsWith('.graphql'));
  return names.map((name) => `${writtenFolder}${name}`).filter((path) => path !== apiSchemaPath);
}

/** Hash by path of the files that were read and of the files that were written. */
function verifiedHashes(root: URL): Readonly<Record<string, string>> {
  const stored = textOf(root, hashesPath);
  if (stored === undefined) throw new GeneratedSchemaError('is missing');
  const hashes = JSON.parse(stored.toString()) as Record<string, string>;
  for (const path of new Set([...Object.keys(hashes), ...writtenSdlPaths(root)])) {
    const content = textOf(root, path);
    if (content === undefined || hash('sha256', content) !== hashes[path])
      throw new GeneratedSchemaError(`is out of date, because ${path} is not the file that it was made with`);
  }
  return hashes;
}

function textOf(root: URL, path: string): Buffer | undefined {
  try {
    return readFileSync(new URL(path, root));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
