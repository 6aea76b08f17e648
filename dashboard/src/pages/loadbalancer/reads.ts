// Reads the lists of the page, bounded: load balancers with their nodes, and hosts for administrators. They are read again after a
// change without its subject, and from time to time, because observed values have no change.
import { LoadbalancerHostsDocument, LoadbalancerListDocument } from '../../../../generated/dashboard/graphql.ts';
import { type Page, readPages } from '../../graph/read-pages.ts';
import { RequestError, type Requester } from '../../graph/request.ts';
import type { Entity } from '../../live/entity-kind.ts';
import { entitiesOf } from '../../live/live-state.ts';
import type { PolledPage } from '../../page.ts';
import { type Host, hostKind } from './kinds/host.ts';
import { type LoadBalancer, loadBalancerKind } from './kinds/load-balancer.ts';
import { type BalancerNode, nodeKind } from './kinds/node.ts';

/** 100 in each. */
export const maxPages = 10;
const roundsToLists = 6;

export async function readLists(requester: Requester): Promise<readonly Entity[]> {
  const [balancers, hosts] = await Promise.all([readBalancers(requester), readHosts(requester)]);
  return [...balancers.nodes, ...balancers.balancerNodes, ...hosts.nodes];
}

export async function poll({ store, requester, signal }: PolledPage, round: number): Promise<void> {
  if (!store.takeIncomplete() && round % roundsToLists !== 0) return;
  const known = <Kind extends Entity>(kind: Parameters<typeof entitiesOf<Kind>>[1]) => [
    ...entitiesOf(store.state, kind).keys(),
  ];
  const before = { balancers: known(loadBalancerKind), nodes: known(nodeKind), hosts: known(hostKind) };
  const [balancers, hosts] = await Promise.all([readBalancers(requester), readHosts(requester)]);
  if (signal.aborted) return;
  const isPart = balancers.pageInfo.hasNextPage;
  store.take(loadBalancerKind, balancers.nodes, isPart ? [] : before.balancers);
  store.take(nodeKind, balancers.balancerNodes, isPart ? [] : before.nodes);
  store.take(hostKind, hosts.nodes, hosts.pageInfo.hasNextPage ? [] : before.hosts);
}

interface BalancerPage extends Page<LoadBalancer> {
  /** Of all load balancers. */
  readonly balancerNodes: readonly BalancerNode[];
}

async function readBalancers(requester: Requester): Promise<BalancerPage> {
  const read = await readPages(
    maxPages,
    null,
    async (after) => (await requester.request(LoadbalancerListDocument, { after })).loadBalancers,
  );
  return {
    nodes: read.nodes.map(({ nodes: _, ...balancer }) => balancer),
    balancerNodes: read.nodes.flatMap(({ nodes }) => nodes),
    pageInfo: read.pageInfo,
  };
}

/** Empty for viewers who may not see hosts. */
async function readHosts(requester: Requester): Promise<Page<Host>> {
  try {
    return await readPages<Host>(
      maxPages,
      null,
      async (after) => (await requester.request(LoadbalancerHostsDocument, { after })).loadBalancerHosts,
    );
  } catch (error) {
    if (!(error instanceof RequestError) || error.code !== 'FORBIDDEN') throw error;
    return { nodes: [], pageInfo: { hasNextPage: false, endCursor: null } };
  }
}
