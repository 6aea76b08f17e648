// The kinds of objects that people name, and the graph's list for each, used by completion, suggestions, and `find`.
import { nearestName } from '../platform/values/nearest-name.ts';
import { CommandFailure, Interruption } from './failures.ts';
import { type GraphClient, untyped } from './graph-client.ts';

interface NamedKind {
  /** Kind for messages. */
  readonly what: string;
  /** Root field of the list. It takes `text`, which a name must contain. */
  readonly list: string;
  /** Its field of the name. */
  readonly name: 'name' | 'fqdn';
  readonly inProject: boolean;
  /** Its field of the state, if it has one. */
  readonly state?: string;
}

/** Keyed by noun. */
export const namedKinds = {
  backends: { what: 'backend', list: 'backends', name: 'name', inProject: true, state: 'operatingStatus' },
  loadbalancers: {
    ...{ what: 'load balancer', list: 'loadBalancers', name: 'name', inProject: true, state: 'operatingStatus' },
  },
  certificates: { what: 'certificate', list: 'tlsCertificates', name: 'name', inProject: true },
  subnets: { what: 'subnet', list: 'projectSubnets', name: 'name', inProject: true },
  hosts: { what: 'host', list: 'loadBalancerHosts', name: 'name', inProject: false, state: 'presence' },
  gslbs: { what: 'GSLB', list: 'gslbs', name: 'fqdn', inProject: true, state: 'operatingStatus' },
  'gslb-pools': { what: 'GSLB pool', list: 'gslbPools', name: 'name', inProject: true },
  'gslb-monitors': { what: 'GSLB monitor', list: 'gslbMonitors', name: 'name', inProject: true },
  flavors: { what: 'GSLB flavor', list: 'gslbFlavors', name: 'name', inProject: false },
  'vantage-points': { what: 'vantage point', list: 'gslbVantagePoints', name: 'name', inProject: false },
  zones: { what: 'zone', list: 'dnsZones', name: 'name', inProject: false },
  'dns-backends': { what: 'DNS backend', list: 'dnsBackends', name: 'name', inProject: false },
  clusters: { what: 'cluster', list: 'objectClusters', name: 'name', inProject: false },
  options: { what: 'option', list: 'objectOptions', name: 'name', inProject: false },
  'access-keys': { what: 'access key', list: 'objectAccessKeys', name: 'name', inProject: true },
  machines: { what: 'machine', list: 'machines', name: 'name', inProject: false, state: 'machineState' },
  projects: { what: 'project', list: 'projects', name: 'name', inProject: false },
  users: { what: 'user', list: 'users', name: 'name', inProject: false },
  tokens: { what: 'API token', list: 'apiTokens', name: 'name', inProject: true },
  'alert-channels': { what: 'alert channel', list: 'alertChannels', name: 'name', inProject: true },
  'alert-rules': { what: 'alert rule', list: 'alertRules', name: 'name', inProject: true },
} as const satisfies Readonly<Record<string, NamedKind>>;

type KindName = keyof typeof namedKinds;

export function isKindName(noun: string): noun is KindName {
  return Object.hasOwn(namedKinds, noun);
}

interface NamedObject {
  readonly id: string;
  readonly name: string;
  readonly state: string | null;
}

/** Limit of objects that are compared with a name. */
const mostCompared = 50;
/** Length of the beginning and the end of a name with an error in between. */
const partLength = 3;

interface Wanted {
  /** Each is searched for separately. Default: any name. */
  readonly texts?: readonly string[];
  readonly projectId?: string | undefined;
  readonly first: number;
  /** Default: only names. */
  readonly withState?: boolean;
}

/** Objects whose name contains one of the texts, without duplicates. Throws like `GraphClient.query`. */
export async function objectsNamed(client: GraphClient, kind: KindName, wanted: Wanted): Promise<NamedObject[]> {
  const { document, variables } = namesDocument(kind, wanted);
  const found = new Map<string, NamedObject>();
  const { name: nameField, state }: NamedKind = namedKinds[kind];
  const stateField = wanted.withState === true ? state : undefined;
  for (const { nodes } of Object.values(await client.query(document, variables)))
    for (const node of nodes) {
      const [id, name] = [node.id, node[nameField]];
      if (typeof id !== 'string' || typeof name !== 'string') continue;
      found.set(id, { id, name, state: stateField === undefined ? null : (node[stateField] ?? null) });
    }
  return [...found.values()];
}

type Nodes = Readonly<Record<string, { readonly nodes: readonly Readonly<Record<string, string | null>>[] }>>;

function namesDocument(kind: KindName, { texts = [], projectId, first, withState = false }: Wanted) {
  const { list, name, inProject, state }: NamedKind = namedKinds[kind];
  const ofProject = inProject && projectId !== undefined;
  const fields = ['id', name, ...(withState && state !== undefined ? [state] : [])].join(' ');
  const searched: readonly (string | null)[] = texts.length === 0 ? [null] : texts;
  const lists = searched.map(
    (_, at) =>
      `list${at}: ${list}(text: $text${at}, first: $first${ofProject ? ', projectId: $projectId' : ''}) { nodes { ${fields} } }`,
  );
  const declared = [
    ...searched.map((_, at) => `$text${at}: String`),
    '$first: Int',
    ...(ofProject ? ['$projectId: ID'] : []),
  ];
  const document = untyped<Nodes>(`query Names(${declared.join(', ')}) { ${lists.join(' ')} }`);
  const given = Object.fromEntries(searched.map((text, at) => [`text${at}`, text]));
  return { document, variables: { ...given, first, ...(ofProject ? { projectId } : {}) } };
}

/**
 * The end of a message about an unknown name: `; 'lab-firewall' is near`, or nothing. Compares a few names: some with a similar beginning or end, and
 * the first ones.
 */
export async function nearText(
  client: GraphClient,
  kind: KindName,
  given: string,
  projectId?: string | undefined,
): Promise<string> {
  const near = nearestName(given, await namesNear(client, kind, given, projectId));
  return near === undefined ? '' : `; '${near}' is near`;
}

/** The names that are compared. */
export async function namesNear(
  client: GraphClient,
  kind: KindName,
  given: string,
  projectId?: string | undefined,
): Promise<readonly string[]> {
  const texts = [given.slice(0, partLength), given.slice(-partLength), ''];
  try {
    const found = await objectsNamed(client, kind, { texts, projectId, first: mostCompared });
    return found.map(({ name }) => name);
  } catch (error) {
    // The message is about the name, even if others can't be read.
    if (error instanceof Interruption || !(error instanceof CommandFailure)) throw error;
    return [];
  }
}
