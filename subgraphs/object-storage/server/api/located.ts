// Where an object is: its ring and partition, the clusters that hold a replica, and what each of them has, asked of each.
import { clustersOf } from '../../../../platform/registers/placement.ts';
import { noVersion } from '../../../../platform/registers/version.ts';
import { partitionOf } from '../../../../platform/rings/ring.ts';
import { within } from '../../../../platform/within.ts';
import { messageOf } from '../../message-of.ts';
import type { ContainerStat, ObjectStat } from '../../namespace/namespace.ts';
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
  /** The name of the option by which its bytes are kept. */
  readonly option: string;
  /** Where its bytes are; null: with its name. */
  readonly bytes: BytesPlace | null;
}

export interface BytesPlace {
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

/** Without asking anybody. */
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
