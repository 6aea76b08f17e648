// Partitions by cluster: options with their replicas, and the clusters that the ring of each shares its partitions among.
import type { ObjectsOptionsQuery } from '../../../../../generated/dashboard/graphql.ts';
import { formatAgo } from '../../../view/format.ts';
import type { Path, Stop, Way } from '../../../view/path/path-layout.ts';
import { type Cluster, clusterKind, teller, troubles } from '../kinds/cluster.ts';

export type Options = ObjectsOptionsQuery['objectOptions']['nodes'];

/** A change of a ring that has not ended. */
export interface RingMove {
  /** Of the option. */
  readonly name: string;
  readonly percent: number | null;
  readonly isPaused: boolean;
}

const plain = { detail: null, status: null, isDown: false, isOld: false, figures: null, opens: null };

export function ringsPath(
  options: Options,
  clusters: readonly Cluster[],
  moves: readonly RingMove[],
  nowMs: number,
): Path {
  const ways: Way[] = [];
  const parts = new Map<number, string[]>();
  const optionStops = options.map((option): Stop => {
    const { id, name, replicas, ring } = option;
    for (const { number, partitions } of ring?.clusters ?? []) {
      if (partitions === 0) continue;
      ways.push({ from: id, to: `cluster ${number}`, isReserve: false });
      parts.set(number, [...(parts.get(number) ?? []), `${name} ${partitions}`]);
    }
    const move = moves.find((each) => each.name === name);
    return {
      ...{ ...plain, key: id, title: name, detail: `${replicas} replicas${option.default ? ', default' : ''}` },
      figures: move === undefined ? (ring === null ? 'no ring yet' : `ring of epoch ${ring.epoch}`) : wordsOf(move),
    };
  });
  const clusterStops = clusters.map((cluster): Stop => {
    const { number, name, zone, presence, clusterState, id } = cluster;
    const isAbsent = presence !== 'PRESENT';
    return {
      ...{
        ...plain,
        key: `cluster ${number}`,
        title: name,
        status: presence,
        opens: { type: clusterKind.typename, id },
      },
      detail: isAbsent
        ? lastReport(cluster, nowMs)
        : clusterState === 'DRAINING'
          ? `zone ${zone}, draining`
          : `zone ${zone}`,
      ...{ isDown: troubles(cluster).length > 0, isOld: isAbsent },
      figures: parts.has(number) ? `partitions: ${parts.get(number)?.join(', ')}` : 'no partitions',
    };
  });
  const steps = [
    { title: 'Storage classes', stops: optionStops },
    { title: 'Clusters', stops: clusterStops },
  ];
  return { steps: steps.filter(({ stops }) => stops.length > 0), ways };
}

function lastReport(cluster: Cluster, nowMs: number): string {
  const at = teller(cluster)?.heardAt;
  return at === undefined ? 'never reported' : formatAgo(nowMs - Date.parse(at));
}

function wordsOf({ percent, isPaused }: RingMove): string {
  const done = percent === null ? '' : `, ${Math.floor(percent)} % done`;
  return isPaused ? `a change is paused${done}` : `partitions are moving${done}`;
}
