// `tidegate nodes`: the nodes of a load balancer.
import { randomUUID } from 'node:crypto';
import type { NodeFieldsFragment } from '../../../generated/cli/graphql.ts';
import { graphql } from '../../../generated/cli/index.ts';
import { balancerId, balancerOption, drainText, replaced } from '../../balancer.ts';
import { CommandFailure } from '../../failures.ts';
import { findNamed } from '../../find.ts';
import { goneNodeHint } from '../../found-objects.ts';
import type { GraphClient } from '../../graph-client.ts';
import { commonOptions, remoteVerb } from '../../remote-verb.ts';
import { listVerb, showVerb } from '../../row-verbs.ts';
import type { Noun } from '../../verb.ts';
import { printTraffic, trafficArguments, trafficOptions } from '../loadbalancers/traffic.ts';

graphql(`
  fragment NodeFields on LoadBalancerNode {
    id name nodeState nodeStateReason operatingStatus address subnetAddress appliedGeneration deleteAt sessions createdAt
    loadBalancerHost { name } steps { name doneAt } replaces { name }
  }
`);
const listDocument = graphql(`
  query NodesList($id: ID!) { loadBalancer(id: $id) { nodes { ...NodeFields } } }
`);
const showDocument = graphql(`
  query NodesShow($id: ID!) { loadBalancerNode(id: $id) { ...NodeFields } }
`);
const trafficDocument = graphql(`
  query NodesTraffic($id: ID!, $period: LoadBalancerTrafficPeriod!, $periods: Int!) {
    loadBalancerNode(id: $id) { traffic(period: $period, periods: $periods) { ...TrafficFields } }
  }
`);
const replaceDocument = graphql(`
  mutation NodesReplace($input: LoadBalancerNodeReplaceInput!) {
    loadBalancerNodeReplace(input: $input) {
      loadBalancerNode { ...NodeFields } commit { token } userErrors { code message field }
    }
  }
`);

const common = { loadbalancer: balancerOption, project: commonOptions.project } as const;

interface Place {
  readonly loadbalancer: string;
  readonly project: string | undefined;
}

async function nodesOf(client: GraphClient, { loadbalancer, project }: Place): Promise<readonly NodeFieldsFragment[]> {
  const id = await balancerId(client, loadbalancer, project);
  return (await client.query(listDocument, { id })).loadBalancer?.nodes ?? [];
}

/** Finds a node by name or id. */
async function nodeId(client: GraphClient, name: string, place: Place): Promise<string> {
  async function* all() {
    yield* await nodesOf(client, place);
  }
  return findNamed(all(), 'node', name, async () => goneNodeHint(name));
}

const list = listVerb({
  summary: 'List the nodes of a load balancer; "loadbalancers decisions" explains why others were removed.',
  options: common,
  read: ({ client, options }) => nodesOf(client, options),
  columns: (all) => ({
    NODE: 'name',
    STATE: ({ nodeState, sessions }) => drainText(nodeState, sessions),
    OPERATING: 'operatingStatus',
    'LAST STEP': ({ steps }) => steps.at(-1)?.name,
    ADDRESS: 'address',
    // Only administrators see hosts.
    ...(all.some(({ loadBalancerHost }) => loadBalancerHost !== null)
      ? { HOST: ({ loadBalancerHost }: NodeFieldsFragment) => loadBalancerHost?.name }
      : {}),
    REASON: ({ nodeStateReason }) => nodeStateReason ?? '',
  }),
});

const show = showVerb({
  summary: 'Show a node with the steps of its making.',
  takes: ['NAME'],
  options: common,
  async read({ client, names, options }) {
    const id = await nodeId(client, names[0], options);
    const { loadBalancerNode: node } = await client.query(showDocument, { id });
    if (node === null) throw new CommandFailure(`there is no node '${names[0]}'`);
    return node;
  },
  print: (printer, node) =>
    printer.pairs([
      ['Name', node.name],
      ['Id', node.id],
      ['State', drainText(node.nodeState, node.sessions)],
      ['Because', node.nodeStateReason],
      ['Operating', node.operatingStatus],
      ['Address', node.address],
      ['In its subnet', node.subnetAddress],
      ['Host', node.loadBalancerHost?.name],
      ['Replaced', node.replaces?.name],
      ['Deleted at', node.deleteAt],
      ['Generation', node.appliedGeneration],
      ['Created', node.createdAt],
      ...node.steps.map(({ name, doneAt }) => [`Step ${name}`, doneAt] as const),
    ]),
});

const traffic = remoteVerb({
  summary: 'Show requests, errors, sessions, bytes and latency of a node.',
  takes: ['NAME'],
  options: { ...common, ...trafficOptions },
  async run(call) {
    const { client, names, options } = call;
    const id = await nodeId(client, names[0], options);
    const { loadBalancerNode } = await client.query(trafficDocument, { id, ...trafficArguments(options) });
    await printTraffic(call, loadBalancerNode?.traffic);
  },
});

const replace = remoteVerb({
  summary: 'Replace a node: the new one serves before it goes.',
  takes: ['NAME'],
  options: { ...common, wait: commonOptions.wait },
  async run(call) {
    const { client, names, options, printer } = call;
    const balancer = await balancerId(client, options.loadbalancer, options.project);
    const id = await nodeId(client, names[0], options);
    const { loadBalancerNode: node, commit } = await client.mutate(replaceDocument, {
      idempotencyKey: randomUUID(),
      id,
    });
    await replaced(call, commit, balancer, [id]);
    if (options.json) await printer.json(node);
    else await printer.line(`${names[0]} ${options.wait === undefined ? 'is being' : 'is'} replaced`);
  },
});

export const nodes: Noun = { list, show, replace, traffic };
