// Load balancers of the fake world, with their parts, nodes, members and hosts, and the root fields of the graph for them.
import { coded, type FakeProject, now, page, projects, withStatus, withText } from './fake-values.ts';

interface FakeBalancer {
  readonly __typename: 'LoadBalancer';
  readonly id: string;
  readonly version: number;
  readonly name: string;
  readonly project: FakeProject;
  readonly [field: string]: unknown;
}

interface FakeNode {
  readonly __typename: 'LoadBalancerNode';
  readonly id: string;
  readonly version: number;
  readonly name: string;
  readonly loadBalancer: { readonly id: string };
  readonly project: FakeProject;
  readonly nodeState: string;
  readonly loadBalancerHost: { readonly id: string; readonly name: string } | null;
  readonly [field: string]: unknown;
}

interface FakeMember {
  readonly __typename: 'PoolMember';
  readonly id: string;
  readonly version: number;
  readonly name: string;
  readonly loadBalancer: { readonly id: string };
  readonly project: FakeProject;
  readonly [field: string]: unknown;
}

interface FakeHost {
  readonly __typename: 'LoadBalancerHost';
  readonly id: string;
  readonly version: number;
  readonly name: string;
  readonly [field: string]: unknown;
}

type FakePart = FakeBalancer | FakeNode | FakeMember | FakeHost;

interface FakeTraffic {
  readonly startedAt: string;
  readonly requests: number;
  readonly errors: number;
  readonly latencyMs: number | null;
  /** Default 0, as of the next two. */
  readonly sessions?: number;
  readonly bytesIn?: number;
  readonly bytesOut?: number;
}

export interface PartChange {
  readonly kind: string;
  readonly from: string | null;
  readonly to: string;
  readonly reason?: string;
}

type Append = (subject: FakePart, change: PartChange) => void;

const steps = ['PLACED', 'MADE', 'CONFIGURED', 'CHECKED', 'IN_DNS'];

export class FakeBalancers {
  readonly balancers = new Map<string, FakeBalancer>();
  readonly nodes = new Map<string, FakeNode>();
  readonly members = new Map<string, FakeMember>();
  readonly hosts = new Map<string, FakeHost>();
  /** By load balancer, listener, node or member. */
  readonly traffic = new Map<string, readonly FakeTraffic[]>();
  /** By load balancer, newest first. */
  readonly decisions = new Map<string, readonly Readonly<Record<string, unknown>>[]>();
  /** What the next mutations are refused with, in order. */
  readonly refusals: { readonly code: string; readonly message: string }[] = [];
  readonly #append: Append;

  constructor(append: Append) {
    this.#append = append;
  }

  addBalancer(patch: Partial<FakeBalancer> = {}): FakeBalancer {
    const number = this.balancers.size + 1;
    const id = `lb${number}`;
    const balancer: FakeBalancer = {
      __typename: 'LoadBalancer',
      id,
      version: 1,
      name: `web-${number}`,
      project: projects[0] as FakeProject,
      enabled: true,
      provisioningStatus: 'ACTIVE',
      provisioningReason: null,
      operatingStatus: 'ONLINE',
      operatingReason: null,
      urls: [`http://web-${number}.acme.lb.example.net/`],
      topology: 'SPREAD',
      minNodes: 2,
      maxNodes: 6,
      wantedNodes: 2,
      description: 'the shop',
      tags: [],
      fqdn: `web-${number}.acme.lb.example.net`,
      addresses: ['198.51.100.1'],
      generation: 3,
      createdAt: now(-3_600_000),
      subnet: { id: 'sn1', name: 'default', cidr: '10.0.0.0/24' },
      nodeSize: { connections: 2000, threads: 1 },
      stats: { activeConnections: 4, totalRequests: 1000, requestErrors: 2 },
      autoscaling: null,
      listeners: [this.#part(`l${number}`, { protocol: 'HTTP', port: 80, defaultPool: { id: `pool${number}` } })],
      pools: [
        this.#part(`pool${number}`, {
          name: 'shop',
          memberProtocol: 'HTTP',
          algorithm: 'ROUND_ROBIN',
          healthMonitor: { id: `hm${number}`, monitorType: 'HTTP', intervalMs: 2000, enabled: true },
          members: ({ first, after }: { readonly first: number; readonly after?: string | null }) =>
            this.membersOf(id, first, after),
        }),
      ],
      nodes: () =>
        [...this.nodes.values()].filter((node) => node.loadBalancer.id === id && node.nodeState !== 'DELETED'),
      traffic: this.trafficOf(id),
      scalingDecisions: ({ changed }: { readonly changed?: boolean | null }) =>
        page((this.decisions.get(id) ?? []).filter(({ action }) => changed !== true || action !== 'KEEP')),
      ...patch,
    };
    this.balancers.set(id, balancer);
    return balancer;
  }

  trafficOf(id: string) {
    return ({ periods }: { readonly periods: number }) =>
      (this.traffic.get(id) ?? []).slice(0, periods).map((each) => ({ sessions: 0, bytesIn: 0, bytesOut: 0, ...each }));
  }

  membersOf(balancerId: string, first: number, after?: string | null) {
    const own = [...this.members.values()].filter(({ loadBalancer }) => loadBalancer.id === balancerId);
    return page(own, first, after);
  }

  addNode(balancerId: string, patch: Partial<FakeNode> = {}): FakeNode {
    const number = this.nodes.size + 1;
    const balancer = this.balancers.get(balancerId);
    if (balancer === undefined) throw new Error(`no load balancer ${balancerId}`);
    const node: FakeNode = {
      __typename: 'LoadBalancerNode',
      id: `n${number}`,
      version: 1,
      name: `node-${number}`,
      project: balancer.project,
      loadBalancer: { id: balancerId },
      loadBalancerHost: { id: 'h1', name: 'host-1' },
      nodeState: 'SERVING',
      nodeStateReason: null,
      operatingStatus: 'ONLINE',
      address: `198.51.100.${number}`,
      subnetAddress: `10.0.0.${number}`,
      appliedGeneration: 3,
      steps: stepsTo(steps.length),
      deleteAt: null,
      sessions: null,
      replaces: null,
      createdAt: now(-3_600_000 + number),
      ...patch,
    };
    this.nodes.set(node.id, node);
    return node;
  }

  addMember(balancerId: string, patch: Partial<FakeMember> = {}): FakeMember {
    const number = this.members.size + 1;
    const member: FakeMember = {
      __typename: 'PoolMember',
      id: `mb${number}`,
      version: 1,
      name: `app-${number}`,
      project: projects[0] as FakeProject,
      loadBalancer: { id: balancerId },
      pool: { id: balancerId.replace('lb', 'pool'), name: 'shop' },
      host: `10.0.1.${number % 250}`,
      port: 8080,
      weight: 1,
      backup: false,
      enabled: true,
      provisioningStatus: 'ACTIVE',
      operatingStatus: 'ONLINE',
      operatingReason: null,
      drainUntil: null,
      ...patch,
    };
    this.members.set(member.id, member);
    return member;
  }

  addHost(patch: Partial<FakeHost> = {}): FakeHost {
    const number = this.hosts.size + 1;
    const id = `h${number}`;
    const own = () =>
      [...this.nodes.values()].filter((node) => node.loadBalancerHost?.id === id && node.nodeState !== 'DELETED');
    const host: FakeHost = {
      __typename: 'LoadBalancerHost',
      id,
      version: 1,
      name: `host-${number}`,
      site: 'fra1',
      provider: 'NETNS',
      cordoned: false,
      removing: false,
      presence: 'PRESENT',
      heardAt: now(),
      publicRange: `198.51.100.0/24`,
      maxNodes: 300,
      noNodesReason: null,
      nodeCount: () => own().length,
      placedNodes: ({ first, after }: { readonly first: number; readonly after?: string | null }) =>
        page(own(), first, after),
      ...patch,
    };
    this.hosts.set(id, host);
    return host;
  }

  /** Changes one of them; its status change is streamed. */
  update(id: string, patch: Readonly<Record<string, unknown>>, change: PartChange): FakePart {
    const maps: readonly Map<string, FakePart>[] = [this.balancers, this.nodes, this.members, this.hosts] as never;
    for (const map of maps) {
      const old = map.get(id);
      if (old === undefined) continue;
      const part = { ...old, version: old.version + 1, ...patch } as FakePart;
      map.set(id, part);
      this.#append(part, change);
      return part;
    }
    throw new Error(`nothing has the id ${id}`);
  }

  #part(id: string, fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
    return {
      id,
      name: '',
      enabled: true,
      provisioningStatus: 'ACTIVE',
      operatingStatus: 'ONLINE',
      operatingReason: null,
      l7Policies: [],
      ...fields,
    };
  }
}

/** The first `count` steps of a node's making. */
export function stepsTo(count: number): readonly { readonly name: string; readonly doneAt: string }[] {
  return steps.slice(0, count).map((name) => ({ name, doneAt: now(-60_000) }));
}

interface WithId {
  readonly id: string;
}
interface WithInput {
  readonly input: Readonly<Record<string, unknown>>;
}
interface Paging {
  readonly first?: number;
  readonly after?: string | null;
}
interface ListArguments extends Paging {
  readonly operatingStatuses?: readonly string[] | null;
  readonly text?: string | null;
}

/** What it needs of the world. */
interface BalancerWorld {
  readonly loadBalancing: FakeBalancers;
  readonly user: { readonly admin: boolean };
  readonly mutations: { readonly name: string; readonly input: WithInput['input'] }[];
}

/** `guard` refuses a request without a login. */
export function createBalancerRoot<Context>(world: BalancerWorld, guard: (context: Context) => void) {
  const { loadBalancing } = world;
  const mutate =
    (name: string, field: string, act: (input: WithInput['input']) => unknown) =>
    ({ input }: WithInput, context: Context): unknown => {
      guard(context);
      world.mutations.push({ name, input });
      const refusal = loadBalancing.refusals.shift();
      if (refusal !== undefined)
        return { userErrors: [{ ...refusal, field: ['input', 'id'], retry: 'NEVER', retryAfterMs: null }] };
      return { [field]: act(input), userErrors: [] };
    };
  const withTraffic = (entity: FakeNode | FakeMember | undefined) =>
    entity === undefined ? null : { ...entity, traffic: loadBalancing.trafficOf(entity.id) };
  return {
    loadBalancers: ({ operatingStatuses, text, first, after }: ListArguments, context: Context) => {
      guard(context);
      return page(withText(withStatus(loadBalancing.balancers.values(), operatingStatuses), text), first, after);
    },
    loadBalancersAt: () => [],
    loadBalancer: ({ id }: WithId, context: Context) => {
      guard(context);
      return loadBalancing.balancers.get(id) ?? null;
    },
    listener: ({ id }: WithId) => ({ id, traffic: loadBalancing.trafficOf(id) }),
    loadBalancerNode: ({ id }: WithId) => withTraffic(loadBalancing.nodes.get(id)),
    loadBalancerHost: ({ id }: WithId) => loadBalancing.hosts.get(id) ?? null,
    poolMember: ({ id }: WithId) => withTraffic(loadBalancing.members.get(id)),
    pool: ({ id }: WithId) => ({
      id,
      members: ({ first, after }: Paging) => loadBalancing.membersOf(id.replace('pool', 'lb'), first ?? 20, after),
    }),
    loadBalancerHosts: ({ text, first, after }: ListArguments, context: Context) => {
      guard(context);
      if (!world.user.admin) throw coded('FORBIDDEN', 'Only administrators may do this.');
      return page(withText([...loadBalancing.hosts.values()], text), first, after);
    },
    poolMemberDrain: mutate('poolMemberDrain', 'poolMember', ({ id }) =>
      loadBalancing.update(
        String(id),
        { drainUntil: now(60_000), operatingStatus: 'DRAINING' },
        { kind: 'poolMember.operatingStatus', from: null, to: 'DRAINING' },
      ),
    ),
    poolMemberDrainCancel: mutate('poolMemberDrainCancel', 'poolMember', ({ id }) =>
      loadBalancing.update(
        String(id),
        { drainUntil: null, operatingStatus: 'ONLINE' },
        { kind: 'poolMember.operatingStatus', from: null, to: 'ONLINE' },
      ),
    ),
    poolMemberUpdate: mutate('poolMemberUpdate', 'poolMember', ({ id, enabled }) =>
      loadBalancing.update(
        String(id),
        { enabled, operatingStatus: 'ONLINE' },
        { kind: 'poolMember.operatingStatus', from: 'OFFLINE', to: 'ONLINE' },
      ),
    ),
    loadBalancerNodesReplace: mutate('loadBalancerNodesReplace', 'loadBalancer', ({ id }) =>
      loadBalancing.update(
        String(id),
        {},
        { kind: 'loadBalancer.changed', from: 'ACTIVE', to: 'ACTIVE', reason: 'a failover was requested' },
      ),
    ),
    loadBalancerNodeReplace: mutate('loadBalancerNodeReplace', 'loadBalancerNode', ({ id }) =>
      loadBalancing.update(
        String(id),
        { nodeState: 'DRAINING', nodeStateReason: 'replaced by hand' },
        { kind: 'loadBalancerNode.state', from: 'SERVING', to: 'DRAINING', reason: 'replaced by hand' },
      ),
    ),
    loadBalancerHostCordonSet: mutate('loadBalancerHostCordonSet', 'loadBalancerHost', ({ id }) =>
      loadBalancing.update(
        String(id),
        { cordoned: true },
        { kind: 'loadBalancerHost.changed', from: 'PRESENT', to: 'PRESENT', reason: 'cordoned' },
      ),
    ),
    loadBalancerHostCordonLift: mutate('loadBalancerHostCordonLift', 'loadBalancerHost', ({ id }) =>
      loadBalancing.update(
        String(id),
        { cordoned: false },
        { kind: 'loadBalancerHost.changed', from: 'PRESENT', to: 'PRESENT', reason: 'released' },
      ),
    ),
  };
}
