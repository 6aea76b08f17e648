// Reads a name from one replica, with the time that the value reflects: from this cluster if it is a member and votes, otherwise from
// another. The cluster that answers has followed the others, and knows for each of them up to which time it has everything.
import { asOfAll } from '../../../../platform/registers/as-of.ts';
import { NoQuorumError } from '../../../../platform/registers/errors.ts';
import { clustersOf } from '../../../../platform/registers/placement.ts';
import { noVersion } from '../../../../platform/registers/version.ts';
import { partitionOf } from '../../../../platform/rings/ring.ts';
import type { FederationMap } from '../../engine/federation/federation-map.ts';
import type { NearestAnswer, NearestReads } from '../../engine/namespace/nearest.ts';
import type { NearestPeer } from '../../engine/peers/nearest-calls.ts';
import type { Follower } from '../../engine/store/follower.ts';
import type { RegisterKey, Replica } from '../../engine/store/register.ts';

export interface NearestOther {
  readonly nearest: NearestPeer;
  readonly follower: Pick<Follower, 'asOf'>;
  readonly isReachable: boolean;
}

interface ReplicasNearbyOptions {
  readonly map: Pick<FederationMap, 'self' | 'known'>;
  /** This cluster's replica. */
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
    // Clusters that were silent a moment ago are asked last.
    for (const { nearest } of members.toSorted((one, other) => Number(other.isReachable) - Number(one.isReachable))) {
      const answer = await nearest.read(key).catch(() => undefined);
      if (answer !== undefined) return answer;
    }
    throw new NoQuorumError('no reachable cluster has a voting replica of it');
  }

  /** Undefined if this cluster has no voting replica of it. */
  async own(key: RegisterKey): Promise<NearestAnswer | undefined> {
    const { map, replica, others } = this.#options;
    const partition = partitionOf(key.scope);
    const placement = map.known(key.ring, partition);
    if (placement === undefined || !clustersOf(placement).includes(map.self)) return undefined;
    const { epoch } = placement;
    // Taken before the read: changes that arrive in between make the answer newer than reported.
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
