// Imports go one way within a top-level folder: a file may import its own layer and lower ones.
import type { SourceFile } from './source-files.ts';

/** The layers of each, lowest first: files or folders of it. Other files at its top are above all of them. */
const layersOf: Readonly<Record<string, readonly string[]>> = {
  'dns/': ['names.ts', 'wire/', 'policy/', 'answerer/', 'ownership/', 'records/', 'servers/', 'publish/', 'backends/'],
  'gateway/': ['supergraph/', 'execution/', 'access/', 'http/', 'versions/', 'subscriptions/', 'web/'],
  'platform/': [
    ...['values/', 'errors/', 'log/', 'caller/', 'work/', 'net/', 'input/', 'secrets/'],
    ...['openstack/', 'xml/', 'registers/', 'rings/', 'database/', 'pages/', 'leases/', 'keys/', 'events/', 'audit/'],
    ...['edge/', 'owed/', 'machines/', 'link/', 'graph/', 'checks/', 'restore/', 'attention/', 'process/', 'watch/'],
  ],
};

export function findLayerFaults(files: readonly SourceFile[]): string[] {
  return Object.entries(layersOf).flatMap(([home, layers]) =>
    files.filter(({ path }) => path.startsWith(home)).flatMap((file) => faultsOf(file, home, layers)),
  );
}

function faultsOf(file: SourceFile, home: string, layers: readonly string[]): string[] {
  const own = levelOf(file.path, home, layers);
  if (own === undefined) return [`${file.path}: its folder has no place among the layers of ${home}`];
  return file.imports
    .filter((each) => each.ours && each.target.startsWith(home) && (levelOf(each.target, home, layers) ?? 0) > own)
    .map((each) => `${file.path} imports ${each.target}: imports go one way, ${layers.join(' ← ')}`);
}

/** Undefined: a folder without a layer. */
function levelOf(path: string, home: string, layers: readonly string[]): number | undefined {
  const inside = path.slice(home.length);
  const level = layers.findIndex((layer) => inside === layer || (layer.endsWith('/') && inside.startsWith(layer)));
  if (level >= 0) return level;
  return inside.includes('/') ? undefined : layers.length;
}
