// PROXIMITY: by great-circle distance.
import { distanceKm } from '../globe.ts';
import { areAlike, type Step } from './step.ts';

export function proximityStep(toleranceKm: number): Step {
  return {
    name: 'PROXIMITY',
    choose(from, client) {
      if (areAlike(from, ({ vector }) => (vector === undefined ? '' : `${vector.x} ${vector.y} ${vector.z}`)))
        return from;
      const here = client.vector();
      if (here === undefined) return from;
      const km = from.map(({ vector }) => (vector === undefined ? Number.POSITIVE_INFINITY : distanceKm(here, vector)));
      const most = Math.min(...km) + toleranceKm;
      return from.filter((_, at) => (km[at] ?? most) <= most);
    },
    why({ vector }, client) {
      const here = client.vector();
      if (vector === undefined || here === undefined) return 'its place is not known';
      return `it is ${Math.round(distanceKm(here, vector))} km away, and another is nearer by more than ${toleranceKm} km`;
    },
  };
}
