// The questions of a cluster's services to its resolver, and the answers.
import { z } from 'zod';

export const resolverRole = 'objectresolver';
export const resolvePath = '/-/resolve';

const count = z.number().int().nonnegative();

const placeShape = z.object({
  ring: count,
  partition: count,
  epoch: count,
  /** Clusters that hold a replica; during a change of the ring, those of both rings. */
  clusters: z.array(z.object({ number: count, name: z.string() })).readonly(),
});
export type Place = z.output<typeof placeShape>;

export const resolvedShape = z.object({
  /** The object's id. Null if no object was given by name, or if the container with that name is unknown. */
  id: z.string().nullable(),
  /** Place of the container's name. Null if not requested, or if its ring is unknown. */
  container: placeShape.nullable(),
  /** Place of the container's objects. Null if unknown; `reason` has the cause. */
  objects: placeShape.nullable(),
  reason: z.string().nullable(),
  /** Place of the object's bytes. Null if stored with its name. Absent if the question had an id, or if this cluster's replica does not know it. */
  bytes: placeShape.nullable().optional(),
});
export type Resolved = z.output<typeof resolvedShape>;
