// Imports go one way, between the top-level folders and within some of them: a file may import its own layer and lower ones.
import { circlesIn } from './cycles.ts';
import type { SourceFile } from './source-files.ts';

/** The top-level folders, lowest first. Not `tests/`, which tries them all and helps the benchmarks and trials. */
export const floors = [
  ...['platform/', 'embedded/', 'dns/', 'schema/', 'clients/', 'simulators/', 'subgraphs/', 'gateway/', 'workers/'],
  ...['ha/', 'lab/', 'compose/', 'cli/', 'bin/', 'measure/', 'trials/', 'bench/', 'dashboard/', 'docs/', 'tools/'],
];

/**
 * The layers of each, lowest first: files or folders of it. Other files at its top are above all of them, or where `*` is.
 */
const layersOf: Readonly<Record<string, readonly string[]>> = {
  'cli/': [
    ...['*', 'why/', 'completion/', 'check-client/', 'login/', 'up/', 'ha-demo/', 'kinds/', 'read-input.ts', 'apply/'],
    ...['graphql-options.ts', 'top/', 'found-objects.ts', 'demo/', 'commands/', 'interruption.ts', 'table.ts'],
    ...['other-verbs.ts', 'wrong-use.ts', 'program.ts', 'main.ts'],
  ],
  'dns/': ['names.ts', 'wire/', 'policy/', 'answerer/', 'ownership/', 'records/', 'servers/', 'publish/', 'backends/'],
  'gateway/': ['supergraph/', 'execution/', 'access/', 'http/', 'versions/', 'subscriptions/', 'web/'],
  'ha/': [
    ...['etcd-gateway.ts', 'etcd.ts', 'announcer.ts', 'mark-file.ts', 'agent/', '*', 'address/', 'host/'],
    ...['cluster.ts', 'moves.ts'],
  ],
  'lab/': [
    ...['apache-waf/', 'claims/', 'neutron/', '*', 'routers/', 'balancers/', 'clusters/', 'sites/', 'ha/', 'devices/'],
    ...['devices.ts', 'in-order.ts', 'lab-source.ts', 'keeper.ts', 'kept-lab.ts', 'control-plane/'],
    'plain-keeper.ts',
  ],
  'platform/': [
    ...['values/', 'errors/', 'log/', 'caller/', 'work/', 'net/', 'input/', 'secrets/'],
    ...['openstack/', 'xml/', 'registers/', 'rings/', 'database/', 'pages/', 'leases/', 'keys/', 'events/', 'audit/'],
    ...['edge/', 'owed/', 'machines/', 'link/', 'graph/', 'checks/', 'restore/', 'attention/', 'process/', 'watch/'],
  ],
};

export function findLayerFaults(files: readonly SourceFile[]): string[] {
  const ordered = [['', floors] as const, ...Object.entries(layersOf)];
  const faults = ordered.flatMap(([home, layers]) =>
    files.filter(({ path }) => path.startsWith(home)).flatMap((file) => faultsOf(file, home, layers)),
  );
  return [...faults, ...circlesOfFolders(files)];
}

/** Of those in one top-level folder, also where there are no layers. */
function circlesOfFolders(files: readonly SourceFile[]): string[] {
  const edges = new Map<string, string[]>();
  for (const { path, imports } of files) {
    const [home, folder] = foldersOf(path);
    if (folder === undefined || home === 'tests') continue;
    const others = imports
      .filter(({ ours }) => ours)
      .map(({ target }) => foldersOf(target))
      .filter(([top, second]) => top === home && second !== undefined && second !== folder);
    edges.set(`${home}/${folder}`, [
      ...(edges.get(`${home}/${folder}`) ?? []),
      ...others.map((each) => each.join('/')),
    ]);
  }
  return circlesIn(edges).map((circle) => `circle of folders: ${circle.join(' → ')}`);
}

function foldersOf(path: string): string[] {
  return path.split('/').slice(0, -1).slice(0, 2);
}

function faultsOf(file: SourceFile, home: string, layers: readonly string[]): string[] {
  if (file.path.startsWith('tests/')) return [];
  const own = levelOf(file.path, home, layers);
  if (own === undefined)
    return [`${file.path}: its folder has no place among the layers of ${home || 'the repository'}`];
  return file.imports
    .filter((each) => each.ours && each.target.startsWith(home) && (levelOf(each.target, home, layers) ?? 0) > own)
    .map((each) => `${file.path} imports ${each.target}: imports go one way, ${layers.join(' ← ')}`);
}

/** Undefined: a folder without a layer. */
function levelOf(path: string, home: string, layers: readonly string[]): number | undefined {
  const inside = path.slice(home.length);
  const level = layers.findIndex((layer) => inside === layer || (layer.endsWith('/') && inside.startsWith(layer)));
  if (level >= 0) return level;
  if (inside.includes('/')) return undefined;
  const others = layers.indexOf('*');
  return others < 0 ? layers.length : others;
}
