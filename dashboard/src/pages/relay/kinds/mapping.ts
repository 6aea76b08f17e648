// The mappings, to show drift: backend objects that differed from their mappings at the last verification. All received ones are
// kept for a while, including mappings that match: a late copy must not undo a newer one.
import {
  type MappingFieldsFragment,
  MappingFieldsFragmentDoc,
  type MappingVerificationResult,
} from '../../../../../generated/dashboard/graphql.ts';
import type { Entities, EntityKind } from '../../../live/entity-kind.ts';
import { mergeVersions } from '../../../live/merge.ts';

export type Mapping = MappingFieldsFragment;
export type Verification = NonNullable<Mapping['lastVerification']>;

export const maxMappings = 500;
export const driftResults = ['DRIFTED', 'MISSING'] as const satisfies readonly MappingVerificationResult[];
export type DriftResult = (typeof driftResults)[number];

export interface DriftedMapping extends Mapping {
  readonly lastVerification: Verification & { readonly result: DriftResult };
}

export const mappingKind: EntityKind<Mapping> = {
  typename: 'Mapping',
  fragment: MappingFieldsFragmentDoc,
  openParameter: 'mapping',
  // Drift is read again from time to time, and most changes of mappings are not about it.
  isReadAgain: false,
  /** When there are too many, those without drift are dropped first. */
  merge(known, news) {
    const merged = mergeVersions(known, news);
    if (merged.size <= maxMappings) return merged;
    const newestLast = [...merged.values()];
    const kept = [...newestLast.filter((each) => !hasDrifted(each)), ...newestLast.filter(hasDrifted)];
    return new Map(kept.slice(-maxMappings).map((mapping) => [mapping.id, mapping]));
  },
  label: ({ objectKey, cmpObject }) =>
    cmpObject === null ? objectKey : `${objectKey} for ${cmpObject.type}/${cmpObject.externalId}`,
};

/** Whether a person should look at it; not for a mapping that is deleted, or whose backend is. */
function hasDrifted(mapping: Mapping): mapping is DriftedMapping {
  return isVerified(mapping) && driftResults.some((result) => result === mapping.lastVerification?.result);
}

/** Whether it is live, and its object was verified since the last call that changed it. */
export function isVerified({ mappingState, lastVerification }: Mapping): boolean {
  return (mappingState === 'ACTIVE' || mappingState === 'UNVERIFIED') && lastVerification !== null;
}

/** Missing ones first, then by time of verification, newest first. */
export function driftIn(mappings: Entities<Mapping>): readonly DriftedMapping[] {
  return [...mappings.values()].filter(hasDrifted).sort((a, b) => {
    const [one, other] = [a.lastVerification, b.lastVerification];
    if (one.result !== other.result) return one.result === 'MISSING' ? -1 : 1;
    if (one.verifiedAt !== other.verifiedAt) return one.verifiedAt < other.verifiedAt ? 1 : -1;
    return a.id < b.id ? 1 : -1;
  });
}
