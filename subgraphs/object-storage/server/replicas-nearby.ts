// What one replica has of a name, and as of when: that of this cluster if it is a member and votes, otherwise that of another one. Who answers has
// followed others, and knows from each up to which moment it has all that they had.
import { asOfAll } from '../../../platform/registers/as-of.ts';
import { NoQuorumError } from '../../../platform/registers/errors.ts';
import { clustersOf } from '../../../platform/registers/placement.ts';
import { noVersion } from '../../../platform/registers/version.ts';
import { partitionOf } from '../../../platform/rings/ring.ts';
import type { NearestAnswer, NearestReads } from '../namespace/nearest.ts';
import type { NearestPeer } from '../peers/nearest-calls.ts';
import type { Follower } from '../store/follower.ts';
import type { RegisterKey, Replica } from '../store/register.ts';
import type { FederationMap } from './federation-map.ts';

export interface NearestOther {
  readonly nearest: NearestPeer;
  readonly follower: Pick<Follower, 'asOf'>;
  readonly isReachable: boolean;
}

export interface ReplicasNearbyOptions {
  readonly map: Pick<FederationMap, 'self' | 'known'>;
  /** This cluster's. */
  readonly replica: Pick<Replica, 'ask'>;
  readonly others: () => ReadonlyMap<number, NearestOther>;
}

export class ReplicasNearby implements NearestReads {
  readonly #options: ReplicasNearbyOptions;

  constructor(options: ReplicasNearbyOptions) {
    this.#options = options;
  }

  async read(key: RegisterKey): Promise<NearestAnswer> {
    const { map, others } = this.#options;
    const own = await this.own(key).catch(() => undefined);
    if (own !== undefined) return own;
    const placement = map.known(key.ring, partitionOf(key.scope));
    const known = others();
    const members = placement === undefined ? [] : clustersOf(placement).flatMap((cluster) => known.get(cluster) ?? []);
    // Who was silent a moment ago is asked last.
    for (const { nearest } of members.toSorted((one, other) => Number(other.isReachable) - Number(one.isReachable))) {
      const answer = await nearest.read(key).catch(() => undefined);
      if (answer !== undefined) return answer;
    }
    throw new NoQuorumError('no cluster that can be reached has a replica of it that votes');
  }

  /** Undefined: this cluster has no replica of it that votes. */
  async own(key: RegisterKey): Promise<NearestAnswer | undefined> {
    const { map, replica, others } = this.#options;
    const partition = partitionOf(key.scope);
    const placement = map.known(key.ring, partition);
    if (placement === undefined || !clustersOf(placement).includes(map.self)) return undefined;
    const { epoch } = placement;
    // Before it is read: what is followed meanwhile makes the answer newer than it says.
    const nowMs = performance.now();
    const known = others();
    const asOfMs = asOfAll(placement, (cluster) =>
      cluster === map.self ? nowMs : known.get(cluster)?.follower.asOf({ ring: key.ring, partition }, epoch),
    );
    const answer = await replica.ask({ op: 'read', key, epoch });
    if (answer.refused === 'CLOSED') return { isClosed: true, version: noVersion, value: undefined, asOfMs };
    if (answer.refused !== undefined) return undefined;
    const { version, value } = answer.row ?? { version: noVersion, value: undefined };
    return { isClosed: false, version, value, asOfMs };
  }
}
