// The path of a request to a load balancer: its name, the addresses of its nodes, listeners, policies, pools and members, with the rates and
// latencies of all nodes together. Figures of an absent host are left out.
import type { LoadBalancerTreeFieldsFragment as Tree } from '../../../../../generated/dashboard/graphql.ts';
import { formatAge, formatDuration, formatWord } from '../../../view/format.ts';
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

export function balancerPath({ tree, nodes, members, statistics, nowMs }: PathSource): Path {
  const current = (statistics ?? []).flatMap(({ id, statistics: table }) =>
    table === null ? [] : [{ id, table, isOld: nowMs - Date.parse(table.measuredAt) > oldMs }],
  );
  const fresh = current.filter(({ isOld }) => !isOld).map(({ table }) => table);
  const figures = (of: readonly Figures[]) => (statistics === null ? null : figuresOf(of));
  const ways: Way[] = [];
  const way = (from: string, to: string, isReserve = false) => ways.push({ from, to, isReserve });

  const serving = nodes.filter(({ nodeState }) => nodeState === 'SERVING' || nodeState === 'REPLACED');
  const nodeStops = withinRoom(
    serving.map((node): Stop => {
      const own = current.find(({ id }) => id === node.id);
      const isInDns = node.address !== null && tree.addresses.includes(node.address);
      return {
        ...{ key: node.id, title: node.address ?? node.name, status: node.operatingStatus },
        detail: isInDns ? node.name : `${node.name}, not in DNS`,
        ...{ isDown: !isServing(node), isOld: own?.isOld === true, opens: { type: nodeKind.typename, id: node.id } },
        figures:
          own === undefined
            ? null
            : own.isOld
              ? lastReport(own.table.measuredAt, nowMs)
              : figuresOf(own.table.listeners),
      };
    }),
    mostShown,
    'nodes',
  );
  const listenerStops = tree.listeners.map(
    (listener): Stop => ({
      ...{ ...plain, key: listener.id, title: `${protocolOf(listener.protocol)} ${listener.port}` },
      ...{ detail: listener.name || null, status: listener.enabled ? listener.operatingStatus : 'OFFLINE' },
      isDown: !listener.enabled || isDown(listener.operatingStatus),
      figures: figures(fresh.flatMap(({ listeners }) => listeners.filter((each) => each.listener?.id === listener.id))),
    }),
  );
  const policies = tree.listeners.flatMap((listener) =>
    listener.l7Policies.filter(({ enabled }) => enabled).map((policy) => ({ listener, policy })),
  );
  const policyStops = policies.map(
    ({ policy }): Stop => ({
      ...{
        ...plain,
        key: policy.id,
        title: policy.name || `policy ${policy.position}`,
        detail: formatWord(policy.action),
      },
    }),
  );
  const poolStops = tree.pools.map(
    (pool): Stop => ({
      ...{
        ...plain,
        key: pool.id,
        title: pool.name || `pool ${pool.id.slice(-6)}`,
        detail: formatWord(pool.algorithm),
      },
      ...{
        status: pool.enabled ? pool.operatingStatus : 'OFFLINE',
        isDown: !pool.enabled || isDown(pool.operatingStatus),
      },
      figures: figures(fresh.flatMap(({ pools }) => pools.filter((each) => each.pool?.id === pool.id))),
    }),
  );
  const memberStops = tree.pools.flatMap((pool) => {
    const own = members.filter((member) => member.pool.id === pool.id);
    const stops = withinRoom(
      own.map(
        (member): Stop => ({
          ...{ ...plain, key: member.id, title: nameOf(member), opens: { type: memberKind.typename, id: member.id } },
          detail: member.backup ? 'backup' : member.name === '' ? null : addressOf(member),
          status: member.enabled ? member.operatingStatus : 'OFFLINE',
          isDown: !member.enabled || isDown(member.operatingStatus),
          figures: figures(fresh.flatMap(({ servers }) => servers.filter((each) => each.poolMember?.id === member.id))),
        }),
      ),
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
    figures: figures(fresh.flatMap(({ listeners }) => listeners)),
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

/** Of what is absent. */
function lastReport(at: string, nowMs: number): string {
  return `last report ${formatAge(nowMs - Date.parse(at))} ago`;
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
