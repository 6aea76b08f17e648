// Which backend objects are not as their mappings have them, by the last look. All mappings that were heard of are kept for a
// while, also those that match: what was read late must not bring back what a newer word has settled.
import type { Mapping, VerificationResult } from '../graph/types.ts';

export const maxMappings = 500;
export const driftResults = ['DRIFTED', 'MISSING'] as const satisfies readonly VerificationResult[];
export type DriftResult = (typeof driftResults)[number];

export interface DriftedMapping extends Mapping {
  readonly lastVerification: NonNullable<Mapping['lastVerification']> & { readonly result: DriftResult };
}

/** Whether there is something for a person to look at: a mapping that is gone, or whose backend is, is none. */
export function hasDrifted(mapping: Mapping): mapping is DriftedMapping {
  const isLive = mapping.mappingState === 'ACTIVE' || mapping.mappingState === 'UNVERIFIED';
  return isLive && driftResults.some((result) => result === mapping.lastVerification?.result);
}

/** Missing ones first, then by when they were looked at, newest first. */
export function driftIn(mappings: ReadonlyMap<string, Mapping>): readonly DriftedMapping[] {
  return [...mappings.values()].filter(hasDrifted).sort((a, b) => {
    const [one, other] = [a.lastVerification, b.lastVerification];
    if (one.result !== other.result) return one.result === 'MISSING' ? -1 : 1;
    if (one.at !== other.at) return one.at < other.at ? 1 : -1;
    return a.id < b.id ? 1 : -1;
  });
}

/** Takes what is not older than what is known. When there are too many, those that have not drifted go first. */
export function mergeMappings(
  known: ReadonlyMap<string, Mapping>,
  news: readonly Mapping[],
): ReadonlyMap<string, Mapping> {
  if (news.length === 0) return known;
  const merged = new Map(known);
  for (const mapping of news) {
    const old = merged.get(mapping.id);
    if (old !== undefined && old.version >= mapping.version) continue;
    // The newest word is the last to be forgotten.
    merged.delete(mapping.id);
    merged.set(mapping.id, mapping);
  }
  if (merged.size <= maxMappings) return merged;
  const newestLast = [...merged.values()];
  const kept = [...newestLast.filter((each) => !hasDrifted(each)), ...newestLast.filter(hasDrifted)];
  return new Map(kept.slice(-maxMappings).map((mapping) => [mapping.id, mapping]));
}
