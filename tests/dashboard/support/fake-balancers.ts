// Load balancers of the fake world, with their parts, nodes, members and hosts, and the root fields of the graph for them.
import {
  type FakeNamed,
  type FakeObject,
  type FakeTold,
  type Fields,
  type ListArguments,
  mutationsOf,
  type NotedMutations,
  now,
  ofAdministrators,
  type Paging,
  page,
  project,
  refusal,
  type Tell,
  updateIn,
  type WithId,
  withStatus,
  withText,
} from './fake-values.ts';

interface FakePart extends FakeNamed {
  readonly loadBalancer: WithId;
}
interface FakeNode extends FakePart {
  readonly nodeState: string;
  readonly loadBalancerHost: { readonly id: string; readonly name: string } | null;
}

interface FakeTraffic {
  readonly startedAt: string;
  readonly requests: number;
  readonly errors: number;
  readonly latencyMs: number | null;
  /** Default 0, also for the next two. */
  readonly sessions?: number;
  readonly bytesIn?: number;
  readonly bytesOut?: number;
}

const steps = ['PLACED', 'MADE', 'CONFIGURED', 'CHECKED', 'IN_DNS'];

export class FakeBalancers {
  readonly balancers = new Map<string, FakeNamed>();
  readonly nodes = new Map<string, FakeNode>();
  readonly members = new Map<string, FakePart>();
  readonly hosts = new Map<string, FakeObject & { readonly name: string }>();
  /** By load balancer, listener, node or member. */
  readonly traffic = new Map<string, readonly FakeTraffic[]>();
  /** The same by minute. Default: as by second. */
  readonly minutes = new Map<string, readonly FakeTraffic[]>();
  /** By load balancer, newest first. */
  readonly decisions = new Map<string, readonly Fields[]>();
  /** Refusals of the next mutations, in order. */
  readonly refusals: { readonly code: string; readonly message: string }[] = [];
  readonly #tell: Tell;

  constructor(tell: Tell) {
    this.#tell = tell;
  }

  addBalancer(patch: Partial<FakeNamed> = {}): FakeNamed {
    const number = this.balancers.size + 1;
    const id = `lb${number}`;
    const fqdn = `web-${number}.acme.lb.example.net`;
    const balancer: FakeNamed = {
      ...{
        ...part(id, 'LoadBalancer'),
        name: `web-${number}`,
        provisioningReason: null,
        urls: [`http://${fqdn}/`],
        fqdn,
      },
      ...{ topology: 'SPREAD', minNodes: 2, maxNodes: 6, wantedNodes: 2, description: 'the shop', tags: [] },
      ...{ addresses: ['198.51.100.1'], generation: 3, createdAt: now(-3_600_000), autoscaling: null },
      subnet: { id: 'sn1', name: 'default', cidr: '10.0.0.0/24' },
      nodeSize: { connections: 2000, threads: 1 },
      stats: { activeConnections: 4, totalRequests: 1000, requestErrors: 2 },
      listeners: [{ ...part(`l${number}`), protocol: 'HTTP', port: 80, defaultPool: { id: `pool${number}` } }],
      pools: [
        {
          ...{ ...part(`pool${number}`), name: 'shop', memberProtocol: 'HTTP', algorithm: 'ROUND_ROBIN' },
          healthMonitor: { id: `hm${number}`, monitorType: 'HTTP', intervalMs: 2000, enabled: true },
          members: ({ first, after }: Paging) => this.membersOf(id, first, after),
        },
      ],
      nodes: () => this.#nodesThat((node) => node.loadBalancer.id === id),
      traffic: this.trafficOf(id),
      scalingDecisions: ({ changed }: { readonly changed?: boolean | null }) =>
        page((this.decisions.get(id) ?? []).filter(({ action }) => changed !== true || action !== 'KEEP')),
      ...patch,
    };
    this.balancers.set(id, balancer);
    return balancer;
  }

  #nodesThat(is: (node: FakeNode) => boolean): readonly FakeNode[] {
    return [...this.nodes.values()].filter((node) => is(node) && node.nodeState !== 'DELETED');
  }

  trafficOf(id: string) {
    return ({ periods, period }: { readonly periods: number; readonly period?: string }) =>
      ((period === 'MINUTE' ? this.minutes.get(id) : undefined) ?? this.traffic.get(id) ?? [])
        .slice(0, periods)
        .map((each) => ({ sessions: 0, bytesIn: 0, bytesOut: 0, ...each }));
  }

  membersOf(balancerId: string, first?: number, after?: string | null) {
    const own = [...this.members.values()].filter(({ loadBalancer }) => loadBalancer.id === balancerId);
    return page(own, first, after);
  }

  addNode(balancerId: string, patch: Partial<FakeNode> = {}): FakeNode {
    const number = this.nodes.size + 1;
    const balancer = this.balancers.get(balancerId);
    if (balancer === undefined) throw new Error(`no load balancer ${balancerId}`);
    const node: FakeNode = {
      ...{ __typename: 'LoadBalancerNode', id: `n${number}`, version: 1, name: `node-${number}` },
      ...{
        project: balancer.project,
        loadBalancer: { id: balancerId },
        loadBalancerHost: { id: 'h1', name: 'host-1' },
      },
      ...{ nodeState: 'SERVING', nodeStateReason: null, operatingStatus: 'ONLINE', address: `198.51.100.${number}` },
      ...{ subnetAddress: `10.0.0.${number}`, appliedGeneration: 3, steps: stepsTo(steps.length), deleteAt: null },
      ...{ sessions: null, replaces: null, createdAt: now(-3_600_000 + number) },
      ...patch,
    };
    this.nodes.set(node.id, node);
    return node;
  }

  addMember(balancerId: string, patch: Partial<FakePart> = {}): FakePart {
    const number = this.members.size + 1;
    const member: FakePart = {
      ...{ ...part(`mb${number}`, 'PoolMember'), name: `app-${number}`, loadBalancer: { id: balancerId } },
      pool: { id: balancerId.replace('lb', 'pool'), name: 'shop' },
      ...{ host: `10.0.1.${number % 250}`, port: 8080, weight: 1, backup: false, drainUntil: null, sessions: null },
      ...patch,
    };
    this.members.set(member.id, member);
    return member;
  }

  addHost(patch: Fields = {}): void {
    const id = `h${this.hosts.size + 1}`;
    const own = () => this.#nodesThat((node) => node.loadBalancerHost?.id === id);
    this.hosts.set(id, {
      ...{ __typename: 'LoadBalancerHost', id, version: 1, name: id.replace('h', 'host-'), site: 'fra1' },
      ...{ provider: 'NETNS', cordoned: false, removing: false, presence: 'PRESENT', heardAt: now() },
      ...{ publicRange: `198.51.100.0/24`, maxNodes: 300, noNodesReason: null, nodeCount: () => own().length },
      placedNodes: ({ first, after }: Paging) => page(own(), first, after),
      ...patch,
    });
  }

  /** Changes one of them; its status change is streamed. */
  update(id: string, patch: Fields, told: FakeTold): FakeObject {
    const maps = [this.balancers, this.nodes, this.members, this.hosts] as readonly Map<string, FakeObject>[];
    const updated = updateIn(maps, id, patch);
    this.#tell(updated, told);
    return updated;
  }
}

/** Enabled and healthy. */
function part(id: string, __typename = ''): FakeNamed {
  return {
    ...{ __typename, id, version: 1, name: '', project, enabled: true, provisioningStatus: 'ACTIVE' },
    ...{ operatingStatus: 'ONLINE', operatingReason: null, l7Policies: [] },
  };
}

/** The first `count` steps of a node's creation. */
export function stepsTo(count: number): readonly { readonly name: string; readonly doneAt: string }[] {
  return steps.slice(0, count).map((name) => ({ name, doneAt: now(-60_000) }));
}

/** The parts of the world that it needs. */
interface BalancerWorld extends NotedMutations {
  readonly loadBalancing: FakeBalancers;
  readonly user: { readonly admin: boolean };
}

export function createBalancerRoot(world: BalancerWorld) {
  const { loadBalancing } = world;
  const withTraffic = (entity: FakeObject | undefined) =>
    entity === undefined ? null : { ...entity, traffic: loadBalancing.trafficOf(entity.id) };
  /** By the kind of their status change. */
  const update = (id: unknown, patch: Fields, kind: string, from: string | null, to: string, reason?: string) =>
    loadBalancing.update(String(id), patch, { kind, from, to, ...(reason !== undefined && { reason }) });
  const member = (id: unknown, patch: Fields, from: string | null, operatingStatus: string) => ({
    poolMember: update(id, { ...patch, operatingStatus }, 'poolMember.operatingStatus', from, operatingStatus),
  });
  const cordon = (cordoned: boolean) => (input: Fields) => ({
    loadBalancerHost: update(
      ...([input.id, { cordoned }, 'loadBalancerHost.changed', 'PRESENT', 'PRESENT'] as const),
      cordoned ? 'cordoned' : 'released',
    ),
  });
  const [draining, byHand] = ['DRAINING', 'replaced by hand'];
  return {
    loadBalancers: ({ operatingStatuses, text, first, after }: ListArguments) =>
      page(withText(withStatus(loadBalancing.balancers.values(), operatingStatuses), text), first, after),
    loadBalancersAt: () => [],
    loadBalancer: ({ id }: WithId) => loadBalancing.balancers.get(id) ?? null,
    listener: ({ id }: WithId) => ({ id, traffic: loadBalancing.trafficOf(id) }),
    loadBalancerNode: ({ id }: WithId) => withTraffic(loadBalancing.nodes.get(id)),
    loadBalancerHost: ({ id }: WithId) => loadBalancing.hosts.get(id) ?? null,
    poolMember: ({ id }: WithId) => withTraffic(loadBalancing.members.get(id)),
    pool: ({ id }: WithId) => ({
      id,
      members: ({ first, after }: Paging) => loadBalancing.membersOf(id.replace('pool', 'lb'), first ?? 20, after),
    }),
    loadBalancerHosts: ofAdministrators(world, ({ text, first, after }: ListArguments) =>
      page(withText([...loadBalancing.hosts.values()], text), first, after),
    ),
    ...mutationsOf(
      world,
      {
        poolMemberDrain: ({ id }) => member(id, { drainUntil: now(60_000) }, null, draining),
        poolMemberDrainCancel: ({ id }) => member(id, { drainUntil: null }, null, 'ONLINE'),
        poolMemberUpdate: ({ id, enabled }) =>
          enabled === true
            ? member(id, { enabled }, 'OFFLINE', 'ONLINE')
            : member(id, { enabled }, 'ONLINE', 'OFFLINE'),
        loadBalancerNodesReplace: ({ id }) => ({
          loadBalancer: update(id, {}, 'loadBalancer.changed', 'ACTIVE', 'ACTIVE', 'a failover was requested'),
        }),
        loadBalancerNodeReplace: ({ id }) => ({
          loadBalancerNode: update(
            ...([id, { nodeState: draining, nodeStateReason: byHand }, 'loadBalancerNode.state'] as const),
            ...(['SERVING', draining, byHand] as const),
          ),
        }),
        ...{ loadBalancerHostCordonSet: cordon(true), loadBalancerHostCordonLift: cordon(false) },
      },
      () => {
        const [first] = loadBalancing.refusals.splice(0, 1);
        return first && refusal(first.code, first.message, 'NEVER', ['input', 'id']);
      },
    ),
  };
}
