// Values that all parts of the fake graph use: projects, times, pages and coded errors.

import { type UptimeWindow, uptimeOf } from '../../../platform/events/uptime/uptime.ts';

export interface FakeProject {
  readonly id: string;
  readonly name: string;
}

export const projects: readonly FakeProject[] = [
  { id: 'p1', name: 'acme' },
  { id: 'p2', name: 'globex' },
];

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

/** Down for so many hours until two hours ago; known for 10 days. */
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

/** Those whose name has the text; all without a text. */
export function withText<Node extends object>(
  nodes: readonly Node[],
  text: string | null | undefined,
): readonly Node[] {
  const nameOf = (node: object): string => String('name' in node ? node.name : 'fqdn' in node ? node.fqdn : '');
  return text ? nodes.filter((node) => nameOf(node).includes(text)) : nodes;
}

/** Those with one of the statuses; all without a filter. */
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
