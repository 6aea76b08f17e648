// Great-circle distances by unit vectors: the distance is the angle between two.

export interface Vector {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

/** The mean radius (IUGG). */
const earthKm = 6_371.009;

/** Takes degrees. Undefined if a coordinate is missing. */
export function vectorOf(latitude: number | null, longitude: number | null): Vector | undefined {
  if (latitude === null || longitude === null) return undefined;
  const [north, east] = [(latitude * Math.PI) / 180, (longitude * Math.PI) / 180];
  return { x: Math.cos(north) * Math.cos(east), y: Math.cos(north) * Math.sin(east), z: Math.sin(north) };
}

export function distanceKm(one: Vector, other: Vector): number {
  const cosine = one.x * other.x + one.y * other.y + one.z * other.z;
  return earthKm * Math.acos(Math.min(Math.max(cosine, -1), 1));
}
