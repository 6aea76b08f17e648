// GEO: members where the client is.
import type { Client } from '../client.ts';
import type { GeoWay } from '../plan.ts';
import { areAlike, type Candidate, type Step, some } from './step.ts';

const ways: Readonly<
  Record<
    GeoWay,
    { readonly of: (member: Candidate) => string | null; readonly where: (client: Client) => string | null }
  >
> = {
  CIDR: { of: ({ region }) => region, where: (client) => client.blockRegion() },
  COUNTRY: { of: ({ country }) => country, where: (client) => client.place()?.country ?? null },
  CONTINENT: { of: ({ continent }) => continent, where: (client) => client.place()?.continent ?? null },
};

/** Uses the first comparison that distinguishes the candidates and finds any. */
export function geoStep(by: readonly GeoWay[]): Step {
  return {
    name: 'GEO',
    choose(from, client) {
      for (const way of by) {
        const { of, where } = ways[way];
        if (areAlike(from, of)) continue;
        const wanted = where(client);
        const kept = wanted === null ? undefined : some(from, (member) => of(member) === wanted);
        if (kept !== undefined) return kept;
      }
      return from;
    },
    why: ({ region, country, continent }) =>
      `others are where the client is; it is in region ${region ?? 'none'}, country ${country ?? 'none'}, continent ${continent ?? 'none'}`,
  };
}
