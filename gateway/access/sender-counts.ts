// Recent amounts sent by each user, API token or network. They survive a change of the graph.
import { TokenBuckets } from '../../platform/edge/token-buckets.ts';
import type { OperationLimits } from './limits.ts';

export class SenderCounts {
  /** Mutations. */
  readonly mutations: TokenBuckets;
  /** Refused documents, and new ones without a login, which cost several times as much as known ones. */
  readonly refusals: TokenBuckets;

  constructor({
    mutationsPerMinute,
    refusedKibPerMinute,
  }: Pick<OperationLimits, 'mutationsPerMinute' | 'refusedKibPerMinute'>) {
    this.mutations = new TokenBuckets({ burst: mutationsPerMinute, perSecond: mutationsPerMinute / 60 });
    this.refusals = new TokenBuckets({ burst: refusedKibPerMinute, perSecond: refusedKibPerMinute / 60 });
  }
}
