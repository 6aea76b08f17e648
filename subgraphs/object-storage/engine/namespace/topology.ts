// The namespace's view of the clusters: where replicas are, which options exist, and how to reach each replica. It comes from the control
// plane's documents, which are stored in the cluster's own database.
import type { Placement } from '../../../../platform/registers/placement.ts';
import type { Replica } from '../store/register.ts';

/** The core ring, which places the names of containers. */
export const coreRing = 0;

export interface StorageOption {
  /** Number of its ring; greater than 0. */
  readonly number: number;
  readonly name: string;
  readonly isDefault: boolean;
  /** Whether one cluster alone may answer a read. */
  readonly nearestReads: boolean;
}

export interface Topology {
  /** This cluster's number. */
  readonly self: number;
  /** For this ring and partition, with at least this epoch. Rejects with NoQuorumError if none becomes known in time. */
  placement(ring: number, partition: number, leastEpoch: number): Promise<Placement>;
  /** Whether the option of this ring is being deleted or has been deleted. */
  isEnding(ring: number): boolean;
  /** Whether nothing is known of the ring yet: documents come one by one, and its option may come first. */
  awaits(ring: number): boolean;
  optionByName(name: string): StorageOption | undefined;
  optionByNumber(number: number): StorageOption | undefined;
  /** The option of containers that name none. */
  defaultOption(): StorageOption | undefined;
  /** Undefined for an unknown cluster. */
  replica(cluster: number): Replica | undefined;
}
