// A cluster's answer about an object.
import { z } from 'zod';

export const objectShape = z.object({
  ...{ name: z.string(), sizeBytes: z.number(), etag: z.string(), modifiedAt: z.string(), version: z.string() },
  ...{ contentType: z.string(), parts: z.number().nullable(), metadata: z.record(z.string(), z.string()) },
});

export const statShape = objectShape.extend({
  container: z.object({ name: z.string(), id: z.string(), option: z.string() }),
  id: z.string(),
  ...{ ring: z.number(), partition: z.number(), epoch: z.number().nullable(), clusters: z.array(z.string()) },
  option: z.string(),
  bytes: z
    .object({ ring: z.number(), partition: z.number(), epoch: z.number().nullable(), clusters: z.array(z.string()) })
    .nullable(),
  /** Age of a NEAREST read. Null if unknown. */
  ageMs: z.number().nullable().optional(),
  replicas: z.array(
    z.object({
      cluster: z.string(),
      version: z.string().nullable(),
      isDeleted: z.boolean().nullable(),
      reason: z.string().nullable(),
    }),
  ),
});

export const pageShape = z.object({
  objects: z.array(objectShape),
  prefixes: z.array(z.string()),
  next: z.string().nullable(),
});
