// The load balancer subgraph on a real database, with two projects: requests as the gateway sends them, without hosts.
import { randomBytes } from 'node:crypto';
import { execute, type GraphQLSchema, parse } from 'graphql';
import type { Identity, Role } from '../../../../platform/caller/identity.ts';
import { recordProject } from '../../../../platform/edge/projects.ts';
import { readSubgraphSdl } from '../../../../platform/graph/sdl.ts';
import type { SubgraphContext } from '../../../../platform/process/subgraph-row.ts';
import { encodeId, newUuid } from '../../../../platform/values/ids.ts';
import { createLoadBalancerSubgraph } from '../../../../subgraphs/loadbalancer/loadbalancer.ts';
import { quotaKinds } from '../../../../subgraphs/loadbalancer/rules/states.ts';
import { type TestDatabase, testDatabase } from '../../../support/database.ts';
import { LocalContext } from '../../../support/test-context.ts';

export const projectA = '01900000-0000-7000-8000-00000000000a';
export const projectB = '01900000-0000-7000-8000-00000000000b';
export const zone = 'lb.test';

export type Input = Record<string, unknown>;
export interface Fault {
  readonly code: string;
  readonly message: string;
  readonly field: readonly string[];
}
interface GraphResult<Data> {
  readonly data: Data;
  readonly errors: readonly { readonly message: string; readonly extensions: Readonly<Record<string, unknown>> }[];
}

export function identity(role: Role | 'ADMIN', project = projectA): Identity {
  const common = { kind: 'user', id: newUuid(), name: role.toLowerCase(), credentialId: newUuid() } as const;
  return role === 'ADMIN'
    ? { ...common, admin: true, projects: {} }
    : { ...common, admin: false, projects: { [project]: role } };
}

export class BalancerGraph extends LocalContext {
  readonly schema: GraphQLSchema;
  readonly place: TestDatabase;

  private constructor(place: TestDatabase) {
    super({ connection: place.connection, connectionLimit: 20 }, { feed: { pollMs: 50 } });
    this.place = place;
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
    const graph = await new BalancerGraph(await testDatabase()).start();
    await graph.db.transaction(async (tx) => {
      await recordProject(tx, projectA, 'alpha');
      await recordProject(tx, projectB, 'beta');
    });
    return graph;
  }

  override async stop(): Promise<void> {
    await super.stop();
    await this.place.drop();
  }

  async run<Data = Record<string, never>>(
    who: Identity | null,
    text: string,
    variableValues: Record<string, unknown> = {},
  ): Promise<GraphResult<Data>> {
    const result = await execute({
      schema: this.schema,
      document: parse(text),
      variableValues,
      contextValue: { identity: who, requestId: `req-${randomBytes(4).toString('hex')}`, loaders: new Map() },
    });
    return { data: result.data as Data, errors: (result.errors ?? []) as GraphResult<Data>['errors'] };
  }

  /** Throws on top-level errors. */
  async ask<Data>(who: Identity | null, text: string, variables: Record<string, unknown> = {}): Promise<Data> {
    const { data, errors } = await this.run<Data>(who, text, variables);
    if (errors.length > 0) throw new Error(JSON.stringify(errors));
    return data;
  }

  /** The errors of a mutation, as `CODE path`. `entity`: the payload's field and its selection. */
  async mutate(
    mutation: string,
    input: Input,
    who: Identity | null = identity('MEMBER'),
    entity?: string,
  ): Promise<{ readonly faults: readonly string[]; readonly told: readonly Fault[]; readonly entity: Input | null }> {
    const selection = `${entity === undefined ? '' : `entity: ${entity}`} userErrors { code message field } commit { token }`;
    const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
    const { payload } = await this.ask<{ payload: { entity?: Input | null; userErrors: Fault[]; commit: unknown } }>(
      ...([who, `mutation ($input: ${type}!) { payload: ${mutation}(input: $input) { ${selection} } }`] as const),
      { input },
    );
    const faults = payload.userErrors.map(({ code, field }) => `${code} ${field.join('.')}`);
    return { faults, told: payload.userErrors, entity: payload.entity ?? null };
  }

  /** By a member; must succeed. Returns what was asked of the entity. */
  async make<Entity = { readonly id: string }>(
    mutation: string,
    input: Input,
    entity: string,
    who: Identity = identity('MEMBER'),
  ): Promise<Entity> {
    const { told, entity: made } = await this.mutate(mutation, input, who, entity);
    if (told.length > 0 || made === null) throw new Error(`${mutation}: ${JSON.stringify(told)}`);
    return made as Entity;
  }
}

/** A load balancer with one of each kind of part. */
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

/** Ids of everything in a load balancer, as `tree` makes it. */
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

export const projectId = (uuid: string): string => encodeId('Project', uuid);
