// Values and rules shared by all parts of the fake graph: projects, times, pages, changes, mutations and coded errors.
import { type UptimeWindow, uptimeOf } from '../../../platform/events/uptime/uptime.ts';

export interface FakeProject {
  readonly id: string;
  readonly name: string;
}

export type Fields = Readonly<Record<string, unknown>>;
export interface WithId {
  readonly id: string;
}
export interface WithInput {
  readonly input: Fields;
}
export interface Paging {
  readonly first?: number;
  readonly after?: string | null;
}
export interface ListArguments extends Paging {
  readonly operatingStatuses?: readonly string[] | null;
  readonly text?: string | null;
}

/** An object of the graph. */
export interface FakeObject extends WithId, Fields {
  readonly __typename: string;
  readonly version: number;
}
export interface FakeNamed extends FakeObject {
  readonly name: string;
  readonly project: FakeProject;
}

/** A status change. */
export interface FakeTold {
  readonly kind: string;
  readonly from: string | null;
  readonly to: string;
  readonly reason?: string | null;
}
export type Tell = (subject: FakeObject, told: FakeTold) => void;

/** Gives the object with the ID another version. */
export function updateIn<Type extends FakeObject>(maps: readonly Map<string, Type>[], id: string, patch: Fields): Type {
  const map = maps.find((each) => each.has(id));
  const old = map?.get(id);
  if (map === undefined || old === undefined) throw new Error(`nothing has the id ${id}`);
  const updated = { ...old, version: old.version + 1, ...patch };
  map.set(id, updated);
  return updated;
}

export interface NotedMutations {
  readonly mutations: { readonly name: string; readonly input: Fields }[];
}

/** Root fields that record their input, and answer with a payload, or with `refused` in its place. */
export function mutationsOf(
  { mutations }: NotedMutations,
  payloads: Readonly<Record<string, (input: Fields) => unknown>>,
  refused: () => Fields | undefined = () => undefined,
) {
  const root = Object.entries(payloads).map(([name, payload]) => [
    name,
    ({ input }: WithInput) => {
      mutations.push({ name, input });
      return refused() ?? { userErrors: [], ...Object(payload(input)) };
    },
  ]);
  return Object.fromEntries(root) as Readonly<Record<string, (given: WithInput) => Fields>>;
}

export function refusal(code: string, message: string, retry: string, field: readonly string[] = []): Fields {
  return { userErrors: [{ code, message, field, retry, retryAfterMs: null }] };
}

/** Only administrators see it. */
export function ofAdministrators<Given, Value>(
  world: { readonly user: { readonly admin: boolean } },
  read: (given: Given) => Value,
) {
  return (given: Given): Value => {
    if (!world.user.admin) throw coded('FORBIDDEN', 'Only administrators may do this.');
    return read(given);
  };
}

export const project: FakeProject = { id: 'p1', name: 'acme' };
export const projects: readonly FakeProject[] = [project, { id: 'p2', name: 'globex' }];

export function now(offsetMs = 0): string {
  return new Date(Date.now() + offsetMs).toISOString();
}

export function page<Node>(nodes: readonly Node[], first = 50, after: string | null = null) {
  const start = after === null ? 0 : Number(after);
  const end = Math.min(nodes.length, start + first);
  return {
    nodes: nodes.slice(start, end),
    totalCount: nodes.length,
    pageInfo: { hasNextPage: end < nodes.length, endCursor: String(end) },
  };
}

interface ClusterReport {
  readonly presence?: string;
  readonly heardAt?: string;
}

/** A cluster of object storage with one controller, as the graph gives it. */
export function cluster(number: number, name: string, { presence = 'PRESENT', heardAt = now() }: ClusterReport = {}) {
  const services = [{ role: 'objectserver', name: 's1', ready: true, drained: false, message: null }];
  const controller = {
    ...{
      name: `${name}-1`,
      presence,
      heardAt,
      linkedTo: 'p1',
      behindDocuments: 0,
      clockAheadMs: 3,
      links: [],
      services,
    },
    disk: { usedBytes: '1200000000', totalBytes: '8000000000' },
  };
  return {
    ...{ __typename: 'ObjectCluster', id: `cl${number}`, version: 1, number, name, zone: name, site: 'fra1' },
    ...{ createdAt: now(-10 * 86_400_000), weight: 100, clusterState: 'ACTIVE', presence, s3Urls: [] },
    controllers: [controller],
  };
}

/** Down for this many hours until two hours ago; known for 10 days. */
export function uptime(window: UptimeWindow, downHours = 0): object {
  const nowMs = Date.now();
  const [endMs, beginMs] = [nowMs - 7_200_000, nowMs - 7_200_000 - downHours * 3_600_000];
  const outage = [
    { atMs: endMs, from: 'ERROR', to: 'ONLINE' },
    { atMs: beginMs, from: 'ONLINE', to: 'ERROR' },
  ];
  return uptimeOf(window, {
    ...{ transitions: downHours === 0 ? [] : outage, status: 'ONLINE', nowMs },
    ...{ completeSinceMs: nowMs - 10 * 86_400_000, judgedIn: [{ fromMs: 0, untilMs: nowMs }] },
  });
}

/** Entries whose name contains the text; all without a text. */
export function withText<Node extends object>(
  nodes: readonly Node[],
  text: string | null | undefined,
): readonly Node[] {
  const nameOf = (node: object): string => String('name' in node ? node.name : 'fqdn' in node ? node.fqdn : '');
  return text ? nodes.filter((node) => nameOf(node).includes(text)) : nodes;
}

/** Entries with one of the statuses; all without a filter. */
export function withStatus<Node extends { readonly [field: string]: unknown }>(
  nodes: Iterable<Node>,
  statuses: readonly string[] | null | undefined,
): readonly Node[] {
  const all = [...nodes];
  return statuses ? all.filter(({ operatingStatus }) => statuses.includes(String(operatingStatus))) : all;
}

export function coded(code: string, message: string): Error {
  return Object.assign(new Error(message), { extensions: { code } });
}
