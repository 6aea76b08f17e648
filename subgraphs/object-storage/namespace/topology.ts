// What the namespace needs to know of the clusters: where replicas are, which options there are, and how to reach each replica. Documents of
// the centre tell it; they are kept in the cluster's own database.
import type { Placement } from '../../../platform/registers/placement.ts';
import type { Replica } from '../store/register.ts';

/** The core ring, which places the containers' names. */
export const coreRing = 0;

export interface StorageOption {
  /** Of its ring; over 0. */
  readonly number: number;
  readonly name: string;
  readonly isDefault: boolean;
  /** Whether a read may be answered by one cluster alone. */
  readonly nearestReads: boolean;
}

export interface Topology {
  /** This cluster's number. */
  readonly self: number;
  /** Of this ring and partition, at least of this epoch. Rejects with NoQuorumError when none is known in time. */
  placement(ring: number, partition: number, leastEpoch: number): Promise<Placement>;
  /** Whether the option of this ring is being deleted, or is. */
  isEnding(ring: number): boolean;
  optionByName(name: string): StorageOption | undefined;
  optionByNumber(number: number): StorageOption | undefined;
  /** The one for containers that name none. */
  defaultOption(): StorageOption | undefined;
  /** Undefined: no such cluster is known. */
  replica(cluster: number): Replica | undefined;
}
