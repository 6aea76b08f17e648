// Where an object is: its ring and partition, the clusters that hold a replica, and what each of them has, asked of each.
import { clustersOf } from '../../../../platform/registers/placement.ts';
import { noVersion } from '../../../../platform/registers/version.ts';
import { partitionOf } from '../../../../platform/rings/ring.ts';
import { within } from '../../../../platform/within.ts';
import { messageOf } from '../../message-of.ts';
import type { ContainerStat } from '../../namespace/namespace.ts';
import { objectIdOf } from '../../namespace/object-id.ts';
import type { RegisterKey } from '../../store/register.ts';
import type { FederationMap } from '../federation-map.ts';

export interface ReplicaState {
  readonly cluster: string;
  /** Null: there is none, or it is not known. */
  readonly version: string | null;
  /** True: the version is that of a deletion. Null: not known. */
  readonly isDeleted: boolean | null;
  /** Why it is not known. */
  readonly reason: string | null;
}

export interface Located {
  readonly id: string;
  readonly ring: number;
  readonly partition: number;
  readonly epoch: number | null;
  /** By name; during a change of the ring those of both. */
  readonly clusters: readonly string[];
  readonly replicas: readonly ReplicaState[];
}

const answerMs = 2_000;

export async function locate(map: FederationMap, container: ContainerStat, name: string): Promise<Located> {
  const { holders, ...placed } = placedAt(map, container, name);
  const key: RegisterKey = { ring: placed.ring, scope: container.id, name };
  const states = holders.map((number) => stateAt(map, number, key, placed.epoch ?? 0));
  return { ...placed, replicas: await Promise.all(states) };
}

/** Without asking anybody. */
export function placeIn(map: FederationMap, container: ContainerStat, name: string): Omit<Located, 'replicas'> {
  const { holders: _, ...placed } = placedAt(map, container, name);
  return placed;
}

function placedAt(map: FederationMap, container: ContainerStat, name: string) {
  const ring = map.optionByName(container.option)?.number ?? Number(container.option);
  const partition = partitionOf(container.id);
  const placement = map.known(ring, partition);
  const holders = placement === undefined ? [] : clustersOf(placement);
  return {
    ...{ id: objectIdOf({ ring, containerId: container.id, name }), holders },
    ...{ ring, partition, epoch: placement?.epoch ?? null, clusters: holders.map((number) => nameOf(map, number)) },
  };
}

async function stateAt(map: FederationMap, number: number, key: RegisterKey, epoch: number): Promise<ReplicaState> {
  const cluster = nameOf(map, number);
  const unknown = (reason: string): ReplicaState => ({ cluster, version: null, isDeleted: null, reason });
  const replica = map.replica(number);
  if (replica === undefined) return unknown('it is not known how this cluster is reached');
  try {
    const answer = await within(answerMs, 'it did not answer', () => replica.ask({ op: 'read', key, epoch }));
    if (answer.refused !== undefined) return unknown(`it refused: ${answer.refused}`);
    const { version, value } = answer.row ?? { version: noVersion, value: undefined };
    if (version === noVersion) return { cluster, version: null, isDeleted: false, reason: null };
    return { cluster, version: version, isDeleted: value === undefined, reason: null };
  } catch (error) {
    return unknown(messageOf(error));
  }
}

function nameOf(map: FederationMap, number: number): string {
  return map.cluster(number)?.name ?? String(number);
}
