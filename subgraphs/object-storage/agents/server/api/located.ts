// Where an object is: its ring and partition, the clusters that hold a replica, and the version at each of them, which are asked.
import { clustersOf } from '../../../../../platform/registers/placement.ts';
import { noVersion } from '../../../../../platform/registers/version.ts';
import { partitionOf } from '../../../../../platform/rings/ring.ts';
import { within } from '../../../../../platform/work/within.ts';
import type { FederationMap } from '../../../engine/federation/federation-map.ts';
import { messageOf } from '../../../engine/message-of.ts';
import type { ContainerStat, ObjectStat } from '../../../engine/namespace/namespace.ts';
import { objectIdOf } from '../../../engine/namespace/object-id.ts';
import type { RegisterKey } from '../../../engine/store/register.ts';

interface ReplicaState {
  readonly cluster: string;
  /** Null if it has none or it is unknown. */
  readonly version: string | null;
  /** True if the version is a deletion. Null if unknown. */
  readonly isDeleted: boolean | null;
  /** Why the version is unknown. */
  readonly reason: string | null;
}

interface Located {
  readonly id: string;
  readonly ring: number;
  readonly partition: number;
  readonly epoch: number | null;
  /** By name; during a change of the ring, those of both rings. */
  readonly clusters: readonly string[];
  readonly replicas: readonly ReplicaState[];
  /** Name of the option of its bytes. */
  readonly option: string;
  /** Place of its bytes. Null if stored with its name. */
  readonly bytes: BytesPlace | null;
}

interface BytesPlace {
  readonly ring: number;
  readonly partition: number;
  readonly epoch: number | null;
  readonly clusters: readonly string[];
}

const answerMs = 2_000;

export async function locate(map: FederationMap, container: ContainerStat, stat: ObjectStat): Promise<Located> {
  const { holders, ...placed } = placedAt(map, container, stat);
  const key: RegisterKey = { ring: placed.ring, scope: container.id, name: stat.name };
  const states = holders.map((number) => stateAt(map, number, key, placed.epoch ?? 0));
  return { ...placed, replicas: await Promise.all(states) };
}

/** Asks no other cluster. */
export function placeIn(map: FederationMap, container: ContainerStat, stat: ObjectStat): Omit<Located, 'replicas'> {
  const { holders: _, ...placed } = placedAt(map, container, stat);
  return placed;
}

function placedAt(map: FederationMap, container: ContainerStat, { name, option, hasBlobs }: ObjectStat) {
  const ring = map.optionByName(container.option)?.number ?? Number(container.option);
  const { holders, ...placed } = partitionAt(map, ring, container.id);
  const { holders: _, ...bytes } = partitionAt(map, option ?? ring, `${container.id}/${name}`);
  return {
    ...{ id: objectIdOf({ ring, containerId: container.id, name }), holders, ...placed },
    option: option === undefined ? container.option : (map.optionByNumber(option)?.name ?? String(option)),
    bytes: hasBlobs === true ? bytes : null,
  };
}

/** `of`: the scope of names, or scope and name of a blob. */
function partitionAt(map: FederationMap, ring: number, of: string) {
  const partition = partitionOf(of);
  const placement = map.known(ring, partition);
  const holders = placement === undefined ? [] : clustersOf(placement);
  const clusters = holders.map((number) => nameOf(map, number));
  return { ring, partition, epoch: placement?.epoch ?? null, clusters, holders };
}

async function stateAt(map: FederationMap, number: number, key: RegisterKey, epoch: number): Promise<ReplicaState> {
  const cluster = nameOf(map, number);
  const unknown = (reason: string): ReplicaState => ({ cluster, version: null, isDeleted: null, reason });
  const replica = map.replica(number);
  if (replica === undefined) return unknown('this cluster has no known address');
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
