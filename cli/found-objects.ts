// Finds objects of all kinds by a word, for `find` and `why`. Queries the graph kind by kind, so that a kind that is missing from this deployment, or
// hidden from the caller, does not hide the others.
import { graphql } from '../generated/cli/index.ts';
import { registry } from '../generated/kinds/registry.ts';
import { decodeId } from '../platform/values/ids.ts';
import { cmpObjectText, parseCmpObject } from './cmp-object.ts';
import { CommandFailure, UsageError } from './failures.ts';
import { type GraphClient, GraphFailure } from './graph-client.ts';
import { isKindName, namedKinds, objectsNamed } from './named-kinds.ts';
import { shortId } from './short-id.ts';
import { readOverview } from './top/overview.ts';

interface FoundObject {
  /** Kind in words. */
  readonly kind: string;
  readonly name: string;
  readonly state: string | null;
  readonly id: string;
}

interface Search {
  readonly found: readonly FoundObject[];
  /** Kinds without an answer, with the reason. */
  readonly missing: readonly string[];
}

const operationsDocument = graphql(`
  query FoundOperations($text: String, $first: Int) {
    relayOperations(text: $text, first: $first) { nodes { id name state backend { name } } }
  }
`);
const mappingsDocument = graphql(`
  query FoundMappings($objectKey: String, $first: Int) {
    mappings(objectKey: $objectKey, first: $first) {
      nodes { id resource objectKey mappingState backend { name } cmpObject { namespace type externalId } }
    }
  }
`);

const backendsAtDocument = graphql(`
  query FoundBackendsAt($address: String!, $limit: Int!) {
    backendsAt(address: $address, limit: $limit) { id name host operatingStatus }
  }
`);
const balancersAtDocument = graphql(`
  query FoundLoadBalancersAt($address: String!, $limit: Int!) {
    loadBalancersAt(address: $address, limit: $limit) { id name operatingStatus }
  }
`);
const gslbsAtDocument = graphql(`
  query FoundGslbsAt($address: String!, $limit: Int!) {
    gslbsAt(address: $address, limit: $limit) { id fqdn operatingStatus }
  }
`);
const cmpObjectDocument = graphql(`
  query FoundCmpObject($namespace: String!, $type: String!, $externalId: String!) {
    cmpObject(namespace: $namespace, type: $type, externalId: $externalId) { id namespace type externalId }
  }
`);

/** An address or a host name, or the beginning of one. */
const isAddress = (word: string) => /^(?=.*[.:])[\w.:-]{2,200}$/.test(word);
const isCmpObject = (word: string) => /^(?:[^\s:/]+:)?[^\s:/]+\/\S+$/.test(word);
/** Limit of the graph's argument `limit`. */
const mostAtAddress = 50;

/** Limit of the graph's argument `text`. */
const longestWord = 200;
/** Requests at once. */
const width = 4;

/** At most `first` objects of each kind. Throws UsageError for an empty or too long word. */
export async function searchAll(client: GraphClient, word: string, first: number): Promise<Search> {
  if (word.trim() === '' || word.length > longestWord)
    throw new UsageError(`WORD must have 1 to ${longestWord} characters`);
  const kinds = Object.keys(namedKinds).filter(isKindName);
  const searches: readonly (readonly [what: string, search: () => Promise<FoundObject[]>])[] = [
    ...kinds.map((kind) => {
      const { what } = namedKinds[kind];
      const search = async () =>
        (await objectsNamed(client, kind, { texts: [word], first, withState: true })).map((one) => ({
          kind: what,
          ...one,
        }));
      return [what, search] as const;
    }),
    ['operation', () => operationsWith(client, word, first)],
    ['mapping', () => mappingsWith(client, word, first)],
    ...(isAddress(word)
      ? ([
          ['backend', () => backendsAt(client, word, first)],
          ['load balancer', () => balancersAt(client, word, first)],
          ['GSLB', () => gslbsAt(client, word, first)],
        ] as const)
      : []),
    ...(isCmpObject(word) ? ([['CMP object', () => cmpObjectNamed(client, word)]] as const) : []),
  ];
  const found: FoundObject[] = [];
  const missing: string[] = [];
  for (let at = 0; at < searches.length; at += width) {
    const some = searches.slice(at, at + width).map(async ([what, search]) => ({ what, ...(await outcomeOf(search)) }));
    for (const { what, objects, fault } of await Promise.all(some)) {
      found.push(...objects);
      if (fault !== undefined) missing.push(`${what}: ${fault}`);
    }
  }
  // No list of kinds contains machines. Those that need attention are found by the same query as in `top`.
  const { needs, unknown } = await readOverview(client);
  const wanted = word.toLowerCase();
  for (const { id, type, name, cells } of needs)
    if (id !== null && name.toLowerCase().includes(wanted))
      found.push({ kind: type, name, state: cells[0] ?? null, id });
  missing.push(...unknown.map((domain) => `the needs of ${domain} are unknown`));
  // An object may match by its name and by its address.
  return { found: [...new Map(found.toReversed().map((each) => [each.id, each])).values()].toReversed(), missing };
}

interface Outcome {
  readonly objects: readonly FoundObject[];
  readonly fault?: string;
}

/** The kind is missing from this graph, or hidden from this caller, so the result is complete. */
const expected: ReadonlySet<string | undefined> = new Set(['GRAPHQL_VALIDATION_FAILED', 'FORBIDDEN']);

async function outcomeOf(search: () => Promise<FoundObject[]>): Promise<Outcome> {
  try {
    return { objects: await search() };
  } catch (error) {
    if (!(error instanceof GraphFailure) || error.code === 'UNAUTHENTICATED') throw error;
    return expected.has(error.code) ? { objects: [] } : { objects: [], fault: error.message };
  }
}

async function operationsWith(client: GraphClient, text: string, first: number): Promise<FoundObject[]> {
  const { relayOperations } = await client.query(operationsDocument, { text, first });
  return relayOperations.nodes.map(({ id, name, state, backend }) => ({
    ...{ kind: 'operation', id, state },
    name: backend === null ? name : `${name} on ${backend.name}`,
  }));
}

/** Finds mappings by the device's key: a name, or an address. */
async function mappingsWith(client: GraphClient, objectKey: string, first: number): Promise<FoundObject[]> {
  const { mappings } = await client.query(mappingsDocument, { objectKey, first });
  return mappings.nodes.map(({ id, resource, objectKey: key, mappingState, backend, cmpObject }) => ({
    ...{ kind: 'mapping', id, state: mappingState },
    name: `${resource} ${key} on ${backend?.name ?? '-'}${cmpObject === null ? '' : ` for ${cmpObjectText(cmpObject)}`}`,
  }));
}

async function backendsAt(client: GraphClient, address: string, first: number): Promise<FoundObject[]> {
  const found = await client.query(backendsAtDocument, { address, limit: Math.min(first, mostAtAddress) });
  return (found.backendsAt ?? []).map(({ id, name, host, operatingStatus: state }) => ({
    ...{ kind: 'backend', id, state, name: `${name} at ${host}` },
  }));
}

async function balancersAt(client: GraphClient, address: string, first: number): Promise<FoundObject[]> {
  const found = await client.query(balancersAtDocument, { address, limit: Math.min(first, mostAtAddress) });
  return (found.loadBalancersAt ?? []).map(({ id, name, operatingStatus: state }) => ({
    ...{ kind: 'load balancer', id, state, name: `${name} with ${address}` },
  }));
}

async function gslbsAt(client: GraphClient, address: string, first: number): Promise<FoundObject[]> {
  const found = await client.query(gslbsAtDocument, { address, limit: Math.min(first, mostAtAddress) });
  return (found.gslbsAt ?? []).map(({ id, fqdn, operatingStatus: state }) => ({
    ...{ kind: 'GSLB', id, state, name: `${fqdn} with ${address}` },
  }));
}

/** Any name is valid, because the graph knows each CMP object. */
async function cmpObjectNamed(client: GraphClient, word: string): Promise<FoundObject[]> {
  const { cmpObject } = await client.query(cmpObjectDocument, parseCmpObject(word));
  return cmpObject == null
    ? []
    : [{ kind: 'CMP object', id: cmpObject.id, name: cmpObjectText(cmpObject), state: null }];
}

/** Finds an object by id, or by its name if it is unique. `gslb-pools/web` gives the kind. Throws CommandFailure. */
export async function anyObjectId(client: GraphClient, nameOrId: string): Promise<string> {
  if (decodeId(nameOrId) !== undefined) return nameOrId;
  const ofKind = await idOfKind(client, nameOrId);
  if (ofKind !== undefined) return ofKind;
  const { found, missing } = await searchAll(client, nameOrId, mostOfKind);
  const [first, ...others] = found.filter(({ name }) => name.toLowerCase() === nameOrId.toLowerCase());
  if (first === undefined) {
    const nearby = found.slice(0, 3).map(({ kind, name }) => `${kind} ${name}`);
    const hint = `${nearby.length === 0 ? '' : `; found were ${nearby.join(', ')}`}${goneNodeHint(nameOrId)}`;
    throw new CommandFailure(
      `nothing has the name or id '${nameOrId}'${hint}${missing.length > 0 ? ` (no answer: ${missing.join('; ')})` : ''}`,
    );
  }
  if (others.length === 0) return first.id;
  throw new CommandFailure(
    `several objects have the name '${nameOrId}'; name one of ${labelsOf([first, ...others]).join(', ')}`,
  );
}

/** Undefined if it does not begin with a kind, or if the kind has no object of that name. */
async function idOfKind(client: GraphClient, text: string): Promise<string | undefined> {
  const [, word = '', name = ''] = /^([a-z0-9-]+)\/(.+)$/s.exec(text) ?? [];
  const kind = Object.values(registry.kinds).find(({ noun, singular, short }) =>
    [noun, singular, ...short].includes(word),
  );
  if (kind === undefined || !isKindName(kind.noun)) return undefined;
  const found = await objectsNamed(client, kind.noun, { texts: [name], first: mostOfKind });
  const [first, ...others] = found.filter((each) => each.name.toLowerCase() === name.toLowerCase());
  return others.length > 0 ? undefined : first?.id;
}

/** `gslb-pools/web`, or its id if several objects of the kind have the name. */
function labelsOf(found: readonly FoundObject[]): readonly string[] {
  const kinds = Object.entries(namedKinds);
  const labels = found.map(({ kind, name }) => {
    const noun = kinds.find(([, { what }]) => what === kind)?.[0];
    return noun === undefined ? undefined : `${noun}/${name}`;
  });
  return found.map(({ kind, id }, at) => {
    const label = labels[at];
    const isOnly = label !== undefined && labels.indexOf(label) === labels.lastIndexOf(label);
    return isOnly ? label : `${kind} ${shortId(id) ?? id}`;
  });
}

/** Nodes are replaced all the time. */
export function goneNodeHint(name: string): string {
  return /^n[0-9a-f]{10}$/.test(name) ? '; "tidegate loadbalancers decisions NAME" shows why a node was removed' : '';
}

const mostOfKind = 20;

const namedDocument = graphql(`
  query VersionsOfName($subjectName: String, $projectId: ID) {
    configurationVersions(subjectName: $subjectName, projectId: $projectId, first: 1) { nodes { subjectId } }
  }
`);

/** The object whose settings have this history: one that exists, or else the newest deleted one of that name. */
export async function subjectNamed(client: GraphClient, name: string, projectId: string | undefined): Promise<string> {
  try {
    return await anyObjectId(client, name);
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    const { configurationVersions } = await client.query(namedDocument, { subjectName: name, projectId });
    const [newest] = configurationVersions.nodes;
    if (newest === undefined) throw error;
    return newest.subjectId;
  }
}
