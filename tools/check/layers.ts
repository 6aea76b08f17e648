// Imports go one way between the top-level folders, and within some of them: a file may import its own layer and lower ones.
import { circlesIn } from './cycles.ts';
import type { SourceFile } from './source-files.ts';

/** The top-level folders, lowest first. Not `tests/`, which tries them all and helps the benchmarks and trials. */
export const floors = [
  ...['platform/', 'embedded/', 'dns/', 'schema/', 'clients/', 'simulators/', 'subgraphs/', 'gateway/', 'workers/'],
  ...[
    'ha/',
    'backup/',
    'lab/',
    'compose/',
    'cli/',
    'bin/',
    'measure/',
    'trials/',
    'bench/',
    'dashboard/',
    'docs/',
    'tools/',
  ],
];

/** The layers of each folder, lowest first, as files or folders. Other files at its top are above all layers, or at `*`. */
const layersOf: Readonly<Record<string, readonly string[]>> = {
  'cli/': [
    ...[
      '*',
      'why/',
      'completion/',
      'check-client/',
      'login/',
      'up/',
      'ha-demo/',
      'setup/',
      'doctor/',
      'upgrade/',
      'kinds/',
      'read-input.ts',
      'apply/',
    ],
    ...['graphql-options.ts', 'top/', 'found-objects.ts', 'demo/', 'commands/', 'interruption.ts', 'table.ts'],
    ...['other-verbs.ts', 'wrong-use.ts', 'program.ts', 'main.ts'],
  ],
  'dns/': ['names.ts', 'wire/', 'policy/', 'answerer/', 'ownership/', 'records/', 'servers/', 'publish/', 'backends/'],
  'gateway/': ['supergraph/', 'execution/', 'access/', 'http/', 'versions/', 'subscriptions/', 'web/'],
  'ha/': [
    ...[
      'etcd-gateway.ts',
      'etcd-call.ts',
      'etcd.ts',
      'announcer.ts',
      'mark-file.ts',
      'agent/',
      'lost/',
      '*',
      'address/',
      'host/',
    ],
    ...['cluster.ts', 'due-requests.ts', 'moves.ts', 'run-host.ts'],
  ],
  'lab/': [
    ...['apache-waf/', 'claims/', 'neutron/', '*', 'routers/', 'balancers/', 'clusters/', 'sites/', 'ha/', 'devices/'],
    ...['devices.ts', 'in-order.ts', 'lab-source.ts', 'lab-server.ts', 'remote-lab.ts', 'control-plane/'],
    'lab-server-process.ts',
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

/** Cycles between sibling folders at any depth, including those without layers. One line for each cycle, with a file for each step. */
function circlesOfFolders(files: readonly SourceFile[]): string[] {
  const steps = new Map<string, Map<string, string>>();
  for (const { path, imports } of files) {
    if (path.startsWith('tests/')) continue;
    for (const { ours, target } of imports) {
      const [from, to] = ours ? partedFolders(path, target) : [];
      if (from === undefined || to === undefined) continue;
      const own = steps.get(from) ?? new Map<string, string>();
      if (!own.has(to)) own.set(to, `${path} imports ${target}`);
      steps.set(from, own);
    }
  }
  const edges = new Map([...steps].map(([folder, to]) => [folder, [...to.keys()]]));
  return circlesIn(edges).map((circle) => {
    const why = circle.slice(1).map((to, index) => steps.get(circle[index] ?? '')?.get(to));
    return `circle of folders: ${circle.join(' → ')} (${why.join('; ')})`;
  });
}

/** The two sibling folders that contain the two files. None if a file is next to the folder. */
function partedFolders(one: string, other: string): readonly [string?, string?] {
  const [first, second] = [one.split('/').slice(0, -1), other.split('/').slice(0, -1)];
  const depth = first.findIndex((name, at) => name !== second[at]);
  if (depth <= 0 || second[depth] === undefined) return [];
  return [first.slice(0, depth + 1).join('/'), second.slice(0, depth + 1).join('/')];
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

/** Undefined for a folder without a layer. */
function levelOf(path: string, home: string, layers: readonly string[]): number | undefined {
  const inside = path.slice(home.length);
  const level = layers.findIndex((layer) => inside === layer || (layer.endsWith('/') && inside.startsWith(layer)));
  if (level >= 0) return level;
  if (inside.includes('/')) return undefined;
  const others = layers.indexOf('*');
  return others < 0 ? layers.length : others;
}
