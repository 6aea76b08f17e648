// The load balancer subgraph on a real database with two projects. It takes requests as the gateway sends them, without
// hosts.
import type { GraphQLSchema } from 'graphql';
import type { Identity } from '../../../../platform/caller/identity.ts';
import { readSubgraphSdl } from '../../../../platform/graph/sdl.ts';
import type { SubgraphContext } from '../../../../platform/process/subgraph-row.ts';
import { createLoadBalancerSubgraph } from '../../../../subgraphs/loadbalancer/loadbalancer.ts';
import { quotaKinds } from '../../../../subgraphs/loadbalancer/rules/states.ts';
import { type TestDatabase, testDatabase } from '../../../support/stores/database.ts';
import { type Input, identity, type Mutated, madeBy, SubgraphGraph } from '../../support/subgraph-graph.ts';

export { type Fault, type Input, identity, projectA, projectB, projectId } from '../../support/subgraph-graph.ts';

export const zone = 'lb.test';

export class BalancerGraph extends SubgraphGraph {
  readonly schema: GraphQLSchema;

  private constructor(place: TestDatabase) {
    super(place, 20);
    const quotas = Object.fromEntries(quotaKinds.map((kind) => [kind, 10_000])) as Record<
      (typeof quotaKinds)[number],
      number
    >;
    const { subgraph } = createLoadBalancerSubgraph({
      ...(this as unknown as SubgraphContext),
      sdl: readSubgraphSdl('loadbalancer'),
      sealKeys: this.sealer,
      settings: { zone, dnsTtlSeconds: 5, nameRestMs: 86_400_000, defaultCidr: '10.64.0.0/20', quotas },
    });
    this.schema = subgraph.schema;
  }

  static async open(): Promise<BalancerGraph> {
    return new BalancerGraph(await testDatabase()).start();
  }

  /** Throws on top-level errors. */
  ask<Data>(who: Identity | null, text: string, variables: Input = {}): Promise<Data> {
    return this.answer(who, text, variables);
  }

  /** The errors of a mutation as `CODE path`. `entity`: the payload's field and its selection. */
  mutate(mutation: string, input: Input, who: Identity | null = identity('MEMBER'), entity?: string): Promise<Mutated> {
    return this.send(who, mutation, input, entity === undefined ? '' : `entity: ${entity}`);
  }

  /** Runs a mutation as a member. It must succeed. Returns the selected fields of the entity. */
  async make<Entity = { readonly id: string }>(
    mutation: string,
    input: Input,
    entity: string,
    who: Identity = identity('MEMBER'),
  ): Promise<Entity> {
    return madeBy(mutation, await this.mutate(mutation, input, who, entity)) as Entity;
  }
}

/** Input of a load balancer with one part of each kind. */
export const tree = (name: string): Input => ({
  name,
  pools: [
    {
      ...{ name: 'web', memberProtocol: 'HTTP' },
      members: [{ host: '192.0.2.10', port: 80 }],
      healthMonitor: { monitorType: 'HTTP' },
    },
    { name: 'raw', memberProtocol: 'TCP' },
  ],
  listeners: [
    {
      ...{ protocol: 'HTTP', port: 80, defaultPool: 'web' },
      l7Policies: [
        { action: 'REJECT', l7Rules: [{ ruleType: 'PATH', compareType: 'STARTS_WITH', value: '/private' }] },
      ],
    },
  ],
});

/** The IDs of everything in a load balancer made from `tree`. */
export interface Ids {
  readonly loadBalancer: string;
  readonly pool: string;
  readonly rawPool: string;
  readonly poolMember: string;
  readonly poolHealthMonitor: string;
  readonly listener: string;
  readonly l7Policy: string;
  readonly l7Rule: string;
  readonly subnet: string;
}

export async function makeTree(graph: BalancerGraph, name: string, who = identity('MEMBER')): Promise<Ids> {
  type Named = { readonly id: string };
  const made = await graph.make<{
    id: string;
    subnet: Named;
    pools: readonly (Named & { name: string; members: { nodes: readonly Named[] }; healthMonitor: Named | null })[];
    listeners: readonly (Named & { l7Policies: readonly (Named & { l7Rules: readonly Named[] })[] })[];
  }>(
    'loadBalancerCreate',
    tree(name),
    `loadBalancer { id subnet { id } pools { id name members { nodes { id } } healthMonitor { id } }
      listeners { id l7Policies { id l7Rules { id } } } }`,
    who,
  );
  const pool = made.pools.find((each) => each.name === 'web');
  const [listener] = made.listeners;
  const [policy] = listener?.l7Policies ?? [];
  return {
    loadBalancer: made.id,
    pool: pool?.id ?? '',
    rawPool: made.pools.find((each) => each.name === 'raw')?.id ?? '',
    poolMember: pool?.members.nodes[0]?.id ?? '',
    poolHealthMonitor: pool?.healthMonitor?.id ?? '',
    listener: listener?.id ?? '',
    l7Policy: policy?.id ?? '',
    l7Rule: policy?.l7Rules[0]?.id ?? '',
    subnet: made.subnet.id,
  };
}
