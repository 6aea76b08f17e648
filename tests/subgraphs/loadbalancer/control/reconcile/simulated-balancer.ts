// A load balancer with its nodes as plain values. It carries out plans as the database would, and simulates nodes,
// hosts and DNS.
import { newUuid } from '../../../../../platform/values/ids.ts';
import type { Action } from '../../../../../subgraphs/loadbalancer/rules/plan.ts';
import { longestDrainMs, planOf } from '../../../../../subgraphs/loadbalancer/rules/plan.ts';
import { type BalancerState, usualHealing } from '../../../../../subgraphs/loadbalancer/rules/plan-input.ts';
import type { BalancerRow, NodeRow } from '../../../../../subgraphs/loadbalancer/rules/rows.ts';

const start = new Date('2026-11-21T00:00:00Z');

const balancerRow: BalancerRow = {
  ...{ id: newUuid(), projectId: newUuid(), name: 'web', description: '', tags: [], cmpNamespace: null, cmpType: null },
  ...{ cmpId: null, subnetId: newUuid(), topology: 'SPREAD', enabled: true, minNodes: 2, maxNodes: 6, wantedNodes: 2 },
  ...{ nodeConnections: 5_000, nodeThreads: 1, hostName: 'web.default.lb.test', generation: 1, cookieKey: '' },
  ...{ provisioningStatus: 'PENDING', provisioningReason: null, pendingSince: start, operatingStatus: 'UNKNOWN' },
  ...{
    floatingAddress: null,
    floatingRouterId: null,
    version: 1,
    settingsVersion: 1,
    createdAt: start,
    updatedAt: start,
  },
};

interface Host {
  readonly id: string;
  online: boolean;
  cordoned: boolean;
  since: Date;
  readonly maxNodes: number;
}

export class SimulatedBalancer {
  nowMs = start.getTime();
  balancer: BalancerRow = balancerRow;
  nodes: NodeRow[] = [];
  /** Includes deleted nodes. */
  readonly successors: (readonly [of: string, successor: string])[] = [];
  readonly hosts: Host[];
  breaker: string | null = null;
  /** True while DNS servers answer with the declared records. */
  dnsWorks = true;
  /** The error of the servers' last attempt. */
  dnsError: { readonly message: string; readonly since: Date } | null = null;
  published = true;
  declared = false;
  readonly ttlMs: number;
  readonly takeBacks = new Map<string, number>();
  readonly blind = new Set<string>();
  /** Decisions: node, round and kind. */
  readonly decisions: string[] = [];
  readonly #id: () => string;

  constructor(options: { readonly hosts: number; readonly ttlMs: number }) {
    let count = 0;
    const id = () => {
      count += 1;
      return `00000000-0000-7000-8000-${String(count).padStart(12, '0')}`;
    };
    this.#id = id;
    this.ttlMs = options.ttlMs;
    this.hosts = Array.from({ length: options.hosts }, () => ({
      ...{ id: id(), online: true, cordoned: false, since: start, maxNodes: 20 },
    }));
  }

  state(): BalancerState {
    const live = this.nodes.filter(({ state }) => state !== 'DELETED');
    const open = this.hosts.filter(({ online, cordoned }) => online && !cordoned);
    return {
      balancer: this.balancer,
      nodes: live,
      hosts: open.map(({ id, maxNodes }) => {
        const nodeCount = live.filter(({ hostId }) => hostId === id).length;
        return { id, nodeCount, free: maxNodes - nodeCount, suspect: false, noAddress: null };
      }),
      offlineSince: new Map(this.hosts.filter(({ online }) => !online).map(({ id, since }) => [id, since])),
      takeBacks: this.takeBacks,
      blind: this.blind,
      breaker: this.breaker,
      name: { declared: this.declared, published: this.published, error: this.dnsError, ttlMs: this.ttlMs },
      settings: usualHealing,
      now: new Date(this.nowMs),
    };
  }

  /** Plans and carries out until nothing is left to do now. */
  reconcile(seen: (action: Action) => void = () => undefined): void {
    for (let round = 0; round < 10; round += 1) {
      const { actions } = planOf(this.state());
      if (actions.length === 0) return;
      for (const action of actions) {
        seen(action);
        this.#carryOut(action);
      }
      if (this.dnsWorks) this.published = true;
    }
    throw new Error(`plans have no end: ${JSON.stringify(planOf(this.state()).actions)}`);
  }

  set(id: string, change: Partial<NodeRow>): void {
    this.nodes = this.nodes.map((node) => (node.id === id ? { ...node, ...change } : node));
  }

  /** Connected hosts apply their documents, and checks see all nodes that are not down. */
  work(): void {
    for (const { id, hostId, state, configuredAt, checkedAt, deleteAt, sessions } of this.nodes) {
      const host = this.hosts.find((each) => each.id === hostId);
      if (host?.online !== true) continue;
      const now = new Date(this.nowMs);
      if (state === 'DELETING') this.set(id, { state: 'DELETED', named: false });
      else this.set(id, { appliedGeneration: this.balancer.generation });
      // A client that stays.
      if (state === 'DRAINING' && deleteAt !== null) this.set(id, { sessions: sessions ?? 1 });
      if (state === 'BUILDING' && configuredAt === null)
        this.set(id, { madeAt: now, configuredAt: now, incarnation: id });
      if (state === 'BUILDING' && checkedAt === null)
        this.set(id, { checkedAt: now, checkedIncarnation: id, operatingStatus: 'ONLINE' });
    }
    if (this.dnsWorks) this.published = true;
  }

  fail(id: string): void {
    const node = this.nodes.find((each) => each.id === id);
    if (node === undefined || node.operatingStatus === 'ERROR' || node.configuredAt === null) return;
    this.set(id, { operatingStatus: 'ERROR', round: node.round + 1, downSince: new Date(this.nowMs) });
  }

  recover(id: string): void {
    this.set(id, { operatingStatus: 'ONLINE', downSince: null });
  }

  inDns(): readonly NodeRow[] {
    return this.nodes.filter(({ named }) => named);
  }

  #carryOut(action: Action): void {
    const node = 'nodeId' in action ? this.nodes.find(({ id }) => id === action.nodeId) : undefined;
    const inMs = (ms: number) => new Date(this.nowMs + ms);
    const decided = (kind: string) => this.decisions.push(`${node?.id}/${node?.round}/${kind}`);
    switch (action.do) {
      case 'REPLACE':
        decided('REPLACE');
        this.set(action.nodeId, {
          state: action.keep ? 'REPLACED' : 'DELETING',
          ...(action.keep
            ? { deleteAt: inMs(node?.replaceReason === null ? usualHealing.replacedNodeKeepMs : 0) }
            : {}),
        });
        break;
      case 'TAKE_BACK':
        decided('TAKE_BACK');
        this.takeBacks.set(action.nodeId, (this.takeBacks.get(action.nodeId) ?? 0) + 1);
        this.set(action.nodeId, { state: 'SERVING', deleteAt: null });
        break;
      case 'DELETE_REPLACED':
        decided('DELETE');
        this.set(action.nodeId, { state: 'DELETING' });
        break;
      case 'PLACE': {
        const made = this.#made(action.hostId, action.replacesId);
        if (action.replacesId !== null) this.successors.push([action.replacesId, made.id]);
        this.nodes.push(made);
        break;
      }
      case 'SERVE':
        this.set(action.nodeId, { state: 'SERVING', inDnsAt: new Date(this.nowMs) });
        break;
      case 'LEAVE':
        this.set(action.nodeId, { state: 'DRAINING', deleteAt: null });
        break;
      case 'OUT_OF_DNS':
        this.set(action.nodeId, { outOfDnsAt: new Date(this.nowMs) });
        break;
      case 'BACK_IN_DNS':
        this.set(action.nodeId, { outOfDnsAt: null });
        break;
      case 'DRAIN':
        this.set(action.nodeId, { deleteAt: inMs(longestDrainMs(usualHealing)), sessions: null });
        break;
      case 'TIME_DRAIN':
        this.set(action.nodeId, { deleteAt: inMs(usualHealing.nodeDrainMs) });
        break;
      case 'DELETE':
        this.set(action.nodeId, { state: 'DELETING' });
        break;
      case 'FORGET':
        this.set(action.nodeId, { state: 'DELETED' });
        break;
      case 'NAME':
        this.nodes = this.nodes.map((each) => {
          const named = action.nodeIds.includes(each.id);
          return named === each.named ? each : { ...each, named, outOfDnsAt: named ? each.outOfDnsAt : null };
        });
        [this.declared, this.published] = [true, false];
        break;
      case 'WITHDRAW':
        this.nodes = this.nodes.map((each) => ({ ...each, named: false }));
        [this.declared, this.published] = [false, false];
        break;
      case 'STATUS': {
        const pendingSince = ['ACTIVE', 'DELETED'].includes(action.status)
          ? null
          : (this.balancer.pendingSince ?? new Date(this.nowMs));
        const { status: provisioningStatus, reason: provisioningReason } = action;
        this.balancer = { ...this.balancer, provisioningStatus, provisioningReason, pendingSince };
      }
    }
  }

  #made(hostId: string, replacesId: string | null): NodeRow {
    const id = this.#id();
    return {
      ...{
        id,
        projectId: this.balancer.projectId,
        loadBalancerId: this.balancer.id,
        hostId,
        name: id,
        state: 'BUILDING',
      },
      ...{
        reason: null,
        operatingStatus: 'UNKNOWN',
        address: '127.0.0.1',
        subnetAddress: null,
        managementAddress: null,
      },
      ...{ connections: this.balancer.nodeConnections, threads: this.balancer.nodeThreads, incarnation: null },
      ...{ wantedVersion: 1, appliedGeneration: 0, placedAt: new Date(this.nowMs), madeAt: null, configuredAt: null },
      ...{
        checkedAt: null,
        inDnsAt: null,
        replacesId,
        deleteAt: null,
        round: 0,
        downSince: null,
        judgeAt: null,
        suspect: false,
      },
      ...{
        givenUp: false,
        checkedIncarnation: null,
        named: false,
        outOfDnsAt: null,
        replaceReason: null,
        sessions: null,
      },
      ...{ floatingPriority: null, version: 1, createdAt: new Date(this.nowMs), updatedAt: new Date(this.nowMs) },
    };
  }
}
