// What the centre asks a cluster of containers and objects, over the link of a controller (platform/link/questions.ts). The cluster answers from
// the namespace: an answer is as true as a user's at that cluster. An account's containers are asked for by the centre only for who may see it.
import { z } from 'zod';
import type { ObjectErrorCode } from '../namespace/errors.ts';

const hex32 = z.string().regex(/^[0-9a-f]{32}$/);
const container = z.string().min(1).max(63);
/** Of objects: 1,024 bytes; characters are never more. */
const name = z.string().max(1_024);
const limit = z.number().int().min(1).max(101);
const account = hex32;
const service = { role: z.string().min(1).max(32), name: z.string().min(1).max(63) };

export const clusterQuestion = z.discriminatedUnion('ask', [
  /** Those whose names begin so, after a name, by name. */
  z.object({ ask: z.literal('containers'), account, prefix: container.or(z.literal('')), after: name, limit }),
  /** Those of these names that there are. */
  z.object({ ask: z.literal('containersNamed'), account, names: z.array(container).min(1).max(100) }),
  z.object({ ask: z.literal('objects'), account, container, prefix: name, after: name, limit }),
  /** With this id. One that is there with it is the same one: a question may come twice. */
  z.object({ ask: z.literal('createContainer'), account, name: container, id: hex32, option: container.nullable() }),
  /** Only the one with this id. */
  z.object({ ask: z.literal('deleteContainer'), account, name: container, id: hex32 }),
  z.object({ ask: z.literal('drainService'), ...service, isDrained: z.boolean() }),
  /** Only one that is silent. */
  z.object({ ask: z.literal('removeService'), ...service }),
]);
export type ClusterQuestion = z.output<typeof clusterQuestion>;

const count = z.number().int().nonnegative();

const containerShape = z.object({
  name: container,
  id: hex32,
  /** The option's name. */
  option: z.string().max(63),
  createdAtMs: count,
});
export type AskedContainer = z.output<typeof containerShape>;

const objectShape = z.object({
  ...{ name, sizeBytes: count, etag: z.string().max(100), contentType: z.string().max(8_192) },
  ...{ modifiedAtMs: count, version: hex32 },
});
export type AskedObject = z.output<typeof objectShape>;

export type AskedFailure = ObjectErrorCode | 'NOT_READY' | 'NO_SERVICE' | 'STILL_HEARD';

/** Of `objects` the objects, of all others the containers, of services nothing. Or why not. */
export const clusterAnswer = z.union([
  z.object({ failure: z.custom<AskedFailure>((code) => typeof code === 'string'), message: z.string().max(1_000) }),
  z.object({
    containers: z.array(containerShape).max(101).default([]),
    objects: z.array(objectShape).max(101).default([]),
  }),
]);
export type ClusterAnswer = z.output<typeof clusterAnswer>;
