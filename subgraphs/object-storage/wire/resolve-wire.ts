// What services of a cluster ask its resolver, and what it answers.
import { z } from 'zod';

export const resolverRole = 'objectresolver';
export const resolvePath = '/-/resolve';

const count = z.number().int().nonnegative();

export const placeShape = z.object({
  ring: count,
  partition: count,
  epoch: count,
  /** Those that hold a replica; during a change of the ring those of both. */
  clusters: z.array(z.object({ number: count, name: z.string() })).readonly(),
});
export type Place = z.output<typeof placeShape>;

export const resolvedShape = z.object({
  /** The object's id; null: none was asked for by name, or it is not known which container has the name. */
  id: z.string().nullable(),
  /** Where the container's name is; null: it was not asked for, or its ring is not known. */
  container: placeShape.nullable(),
  /** Where the container's objects are; null: why is in `reason`. */
  objects: placeShape.nullable(),
  reason: z.string().nullable(),
  /** Where the object's bytes are; null: with its name. Absent: it was asked for by id, or this cluster's replica does not know it. */
  bytes: placeShape.nullable().optional(),
});
export type Resolved = z.output<typeof resolvedShape>;
