// Writes generated/schema/ (platform/graph/generated-schema.ts): the SDL that is made from typed kinds, the supergraph, and the hashes of
// all files that were read for them, this program and its imports included. A file is hashed before it is read, so that one that changes
// while this program runs counts as changed.
import { hash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

const root = new URL('../', import.meta.url);
const hashes = new Map<string, string>();
const note = (path: string) => hashes.set(path, hash('sha256', readFileSync(new URL(path, root))));

note('tools/compose.ts');
// For the packages.
note('package-lock.json');
registerHooks({
  load(url, context, next) {
    if (url.startsWith(root.href) && !url.includes('/node_modules/')) note(url.slice(root.href.length));
    return next(url, context);
  },
});
const places = await import('../platform/graph/generated-schema.ts');
const { joinSdl, readOwnGraph } = await import('../platform/graph/sdl.ts');
const { composeSupergraph } = await import('../schema/compose.ts');
const { makeSdl } = await import('./made-sdl.ts');

/** Writes atomically, because a process that reads it may start at any time. */
function write(path: string, text: string): void {
  const unfinished = new URL(`${path}.${process.pid}`, root);
  writeFileSync(unfinished, text);
  renameSync(unfinished, new URL(path, root));
}

for (const path of places.writtenSdlPaths(root)) note(path);
const made = makeSdl();
const results = new Map([...made].map(([subgraph, sdl]) => [places.madeSdlPath(subgraph), sdl]));
results.set(places.supergraphPath, composeSupergraph(joinSdl(readOwnGraph(made))));
mkdirSync(new URL(places.generatedFolder, root), { recursive: true });
for (const [path, text] of results) {
  write(path, text);
  hashes.set(path, hash('sha256', text));
}
write(places.hashesPath, `${JSON.stringify(Object.fromEntries([...hashes].sort()), null, 1)}\n`);
