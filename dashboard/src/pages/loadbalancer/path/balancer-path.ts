// The path of a request to a load balancer: its name, the addresses of its nodes, listeners, policies, pools and members, with the rates and
// latencies of all nodes together. Figures of an absent host are left out.
import type { LoadBalancerTreeFieldsFragment as Tree } from '../../../../../generated/dashboard/graphql.ts';
import { formatAgo, formatDuration, formatWord } from '../../../view/format.ts';
import { type Path, type Stop, type Way, withinRoom } from '../../../view/path/path-layout.ts';
import { addressOf, type Member, memberKind, nameOf } from '../kinds/member.ts';
import { type BalancerNode, isServing, nodeKind } from '../kinds/node.ts';
import type { NodeStatistics } from '../statistics/statistics-rows.ts';

interface PathSource {
  readonly tree: Tree;
  readonly nodes: readonly BalancerNode[];
  readonly members: readonly Member[];
  /** Null until they are read. */
  readonly statistics: readonly NodeStatistics[] | null;
  readonly nowMs: number;
}

/** Of one pool, and of nodes. */
const mostShown = 12;
/** An older report is the last of an absent host. */
export const oldMs = 30_000;
const plain = { detail: null, status: null, isDown: false, isOld: false, figures: null, opens: null };

export function balancerPath(source: PathSource): Path {
  const { tree } = source;
  const reports = reportsOf(source);
  const nodeStops = stopsOfNodes(source, reports);
  const listenerStops = tree.listeners.map((listener) => stopOfListener(listener, reports));
  const policies = tree.listeners.flatMap((listener) =>
    listener.l7Policies.filter(({ enabled }) => enabled).map((policy) => ({ listener, policy })),
  );
  const policyStops = policies.map(({ policy: { id, name, position, action } }): Stop => {
    return { ...plain, key: id, title: name || `policy ${position}`, detail: formatWord(action) };
  });
  const poolStops = tree.pools.map((pool) => stopOfPool(pool, reports));
  const ways: Way[] = [];
  const way = (from: string, to: string, isReserve = false) => ways.push({ from, to, isReserve });
  const memberStops = tree.pools.flatMap((pool) => {
    const own = source.members.filter((member) => member.pool.id === pool.id);
    const stops = withinRoom(
      own.map((member) => stopOfMember(member, reports)),
      mostShown,
      'members',
    );
    const backups = new Set(own.filter(({ backup }) => backup).map(({ id }) => id));
    for (const { key } of stops) way(pool.id, key, backups.has(key));
    return stops;
  });
  for (const { key } of nodeStops) {
    way('name', key);
    for (const listener of tree.listeners) way(key, listener.id);
  }
  for (const { listener, policy } of policies) {
    way(listener.id, policy.id);
    if (policy.redirectPool !== null) way(policy.id, policy.redirectPool.id);
  }
  for (const { id, defaultPool } of tree.listeners) if (defaultPool !== null) way(id, defaultPool.id);
  const name: Stop = {
    ...{ ...plain, key: 'name', title: tree.fqdn, status: tree.operatingStatus, isDown: isDown(tree.operatingStatus) },
    figures: reports.figures(({ listeners }) => listeners),
  };
  const steps = [
    { title: 'Name', stops: [name] },
    { title: 'Node addresses', stops: nodeStops },
    { title: 'Listeners', stops: listenerStops },
    { title: 'Policies', stops: policyStops },
    { title: 'Pools', stops: poolStops },
    { title: 'Members', stops: memberStops },
  ];
  return { steps: steps.filter(({ stops }) => stops.length > 0), ways };
}

type Table = NonNullable<NodeStatistics['statistics']>;

interface Reports {
  /** The last report of each node that has one. */
  readonly current: readonly { readonly id: string; readonly table: Table; readonly isOld: boolean }[];
  /** Of all nodes together, without old reports. Null until they are read. */
  figures(rowsOf: (table: Table) => readonly Figures[]): string | null;
}

function reportsOf({ statistics, nowMs }: PathSource): Reports {
  const current = (statistics ?? []).flatMap(({ id, statistics: table }) =>
    table === null ? [] : [{ id, table, isOld: nowMs - Date.parse(table.measuredAt) > oldMs }],
  );
  const fresh = current.filter(({ isOld }) => !isOld).map(({ table }) => table);
  return { current, figures: (rowsOf) => (statistics === null ? null : figuresOf(fresh.flatMap(rowsOf))) };
}

function stopsOfNodes({ tree, nodes, nowMs }: PathSource, { current }: Reports): readonly Stop[] {
  const serving = nodes.filter(({ nodeState }) => nodeState === 'SERVING' || nodeState === 'REPLACED');
  const stops = serving.map((node): Stop => {
    const own = current.find(({ id }) => id === node.id);
    const isInDns = node.address !== null && tree.addresses.includes(node.address);
    const isOld = own?.isOld === true;
    return {
      ...{ key: node.id, title: node.address ?? node.name, status: node.operatingStatus },
      detail: isInDns ? node.name : `${node.name}, not in DNS`,
      ...{ isDown: !isServing(node), isOld, opens: { type: nodeKind.typename, id: node.id } },
      figures:
        own === undefined ? null : isOld ? lastReport(own.table.measuredAt, nowMs) : figuresOf(own.table.listeners),
    };
  });
  return withinRoom(stops, mostShown, 'nodes');
}

function stopOfListener(listener: Tree['listeners'][number], { figures }: Reports): Stop {
  return {
    ...{ ...plain, key: listener.id, title: `${protocolOf(listener.protocol)} ${listener.port}` },
    ...{ detail: listener.name || null, ...healthOf(listener) },
    figures: figures(({ listeners }) => listeners.filter((each) => each.listener?.id === listener.id)),
  };
}

function stopOfPool(pool: Tree['pools'][number], { figures }: Reports): Stop {
  return {
    ...{ ...plain, key: pool.id, title: pool.name || `pool ${pool.id.slice(-6)}`, detail: formatWord(pool.algorithm) },
    ...healthOf(pool),
    figures: figures(({ pools }) => pools.filter((each) => each.pool?.id === pool.id)),
  };
}

function stopOfMember(member: Member, { figures }: Reports): Stop {
  return {
    ...{ ...plain, key: member.id, title: nameOf(member), opens: { type: memberKind.typename, id: member.id } },
    detail: member.backup ? 'backup' : member.name === '' ? null : addressOf(member),
    ...healthOf(member),
    figures: figures(({ servers }) => servers.filter((each) => each.poolMember?.id === member.id)),
  };
}

/** What is disabled is down, whatever was seen of it. */
function healthOf({ enabled, operatingStatus }: Pick<Member, 'enabled' | 'operatingStatus'>) {
  return { status: enabled ? operatingStatus : 'OFFLINE', isDown: !enabled || isDown(operatingStatus) } as const;
}

/** Of what is absent. */
function lastReport(at: string, nowMs: number): string {
  return `last report ${formatAgo(nowMs - Date.parse(at))}`;
}

interface Figures {
  readonly rate: number;
  /** Listeners have none. */
  readonly latencyMs?: number | null;
}

/** `12/s, 9 ms`. The latency is the mean of those that have one. */
function figuresOf(all: readonly Figures[]): string | null {
  if (all.length === 0) return null;
  const rate = all.reduce((sum, each) => sum + each.rate, 0);
  const times = all.flatMap(({ latencyMs }) => (latencyMs == null ? [] : [latencyMs]));
  const mean =
    times.length === 0 ? '' : `, ${formatDuration(times.reduce((sum, time) => sum + time, 0) / times.length)}`;
  return `${rate}/s${mean}`;
}

/** What clients speak. */
function protocolOf(protocol: string): string {
  return protocol === 'TERMINATED_HTTPS' ? 'HTTPS' : protocol.replaceAll('_', ' ');
}

function isDown(status: string): boolean {
  return status === 'ERROR' || status === 'OFFLINE';
}
