// The control plane's questions to a cluster about containers and objects, over the link of a controller (platform/link/questions.ts). The
// cluster answers from the namespace, so an answer is as current as a user's read at that cluster. The control plane asks only for callers
// who may see the account.
import { z } from 'zod';
import type { ObjectErrorCode } from './object-error.ts';

const hex32 = z.string().regex(/^[0-9a-f]{32}$/);
const container = z.string().min(1).max(63);
/** Object names have at most 1,024 bytes, and so at most as many characters. */
const name = z.string().max(1_024);
export const mostDelimiter = 16;
const limit = z.number().int().min(1).max(101);
const account = hex32;
const service = { role: z.string().min(1).max(32), name: z.string().min(1).max(63) };

export const clusterQuestion = z.discriminatedUnion('ask', [
  /** By name: containers with this prefix, after a name. */
  z.object({ ask: z.literal('containers'), account, prefix: container.or(z.literal('')), after: name, limit }),
  /** The existing ones of these names. */
  z.object({ ask: z.literal('containersNamed'), account, names: z.array(container).min(1).max(100) }),
  /** With a delimiter, names are grouped. A cluster of an earlier release ignores it. */
  z.object({
    ...{ ask: z.literal('objects'), account, container, prefix: name, after: name, limit },
    delimiter: z.string().max(mostDelimiter).optional(),
  }),
  /** Creates it with this id. An existing container with this id is the result of the same question: a question may come twice. */
  z.object({ ask: z.literal('createContainer'), account, name: container, id: hex32, option: container.nullable() }),
  /** Only if it has this id. */
  z.object({ ask: z.literal('deleteContainer'), account, name: container, id: hex32 }),
  z.object({ ask: z.literal('drainService'), ...service, isDrained: z.boolean() }),
  /** Only if it is silent. */
  z.object({ ask: z.literal('removeService'), ...service }),
]);
export type ClusterQuestion = z.output<typeof clusterQuestion>;

const count = z.number().int().nonnegative();

const containerShape = z.object({
  name: container,
  id: hex32,
  /** Name of the option. */
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

/** Returns objects for `objects`, nothing for services, containers for all others; or the reason of a failure. */
export const clusterAnswer = z.union([
  z.object({ failure: z.custom<AskedFailure>((code) => typeof code === 'string'), message: z.string().max(1_000) }),
  z.object({
    containers: z.array(containerShape).max(101).default([]),
    objects: z.array(objectShape).max(101).default([]),
    /** Common prefixes of grouped names. */
    prefixes: z.array(name).max(101).optional(),
  }),
]);
export type ClusterAnswer = z.output<typeof clusterAnswer>;
