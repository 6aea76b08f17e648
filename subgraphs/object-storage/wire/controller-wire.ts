// The messages between a cluster's controller (role objectcontroller) and the control plane (platform/link).
//
// - The controller's facts have its `position`: the generation of a history up to which it has every document. The control plane sends
// later
// documents in the order of their generations, each as a signed document (documents/signed-document.ts); key is its name, generation its
// own.
// The controller commits each with its position before it takes the next.
// - A document with the link's generation 0 is out of order: it is stored, and the position stays. A controller that does not know the
// control
// plane's keys gets the document `keys` this way first. One that knows no keys at all trusts it: the other end has authenticated as the
// control plane's machine.
// - `whole`: everything committed before has been sent. The control plane repeats it each `wholeEveryMs` after reading its database: the
// time
// since the last one is how long a cluster may have missed a revocation.
// - Reports: key `state`, a ControllerState each `stateEveryMs`.
import { z } from 'zod';
import { partitionCount } from '../../../platform/rings/ring.ts';
import type { JsonValue } from '../../../platform/values/json.ts';
import { positionShape } from '../../../platform/values/positions.ts';
import { highestCluster, highestRing, mostClusters } from './documents/documents.ts';
import {
  DocumentError,
  DocumentKeys,
  readDocument,
  signedDocumentShape,
  type VerifiedDocument,
  verifyDocument,
} from './documents/signed-document.ts';

/** The role of machines that are controllers, and of those to which they connect. */
export const controllerRole = 'objectcontroller';
export const controlPlaneRole = 'object-storage';

export const wholeEveryMs = 1_000;
export const stateEveryMs = 1_000;
/** A controller that is silent for this long is absent. */
export const silentForMs = 10_000;
/** After this time without a sign of life the other end of a link counts as lost. */
export const linkSilentMs = 5_000;

export const stateKey = 'state';

/** At a controller's endpoint, for other clusters' controllers: `?after=GENERATION`. */
export const documentsPath = '/-/documents';
export const documentsAtOnce = 100;

const count = z.number().int().nonnegative();
const keyId = z.string().min(1).max(32);

const position = z.strictObject({ history: z.union([z.literal(''), positionShape.shape.history]), number: count });

/** The facts of a controller, in its hello. */
export const controllerFacts = z.strictObject({
  /** It has every document up to this generation. The history is empty if it has none. */
  position,
  /** The control plane's keys that it knows. */
  keyIds: z.array(keyId).max(100),
  /** P-256, PEM: seals secrets for its cluster. The same for all controllers of a cluster. */
  publicKey: z.string().max(1_024),
  /** Version of the program. */
  version: z.string().min(1).max(63),
});
export type ControllerFacts = z.output<typeof controllerFacts>;

export const serviceRoles = ['objectcontroller', 'objectresolver', 'objectserver'] as const;

/** Usually enough for all options that end at once. Only one server of a cluster checks them. */
export const mostRingEnds = 100;

const takeOver = z.object({
  ring: count.max(highestRing),
  epoch: count.max(4_294_967_295),
  partitions: count.max(partitionCount),
  /** Partitions that are still incomplete. */
  left: count.max(partitionCount),
  movedBytes: count,
  /** What prevents progress. */
  message: z.string().max(255).nullable(),
});
/** A cluster's progress in copying partitions of a ring in an epoch. */
export type TakeOver = Readonly<z.output<typeof takeOver>>;

const ringEnd = z.object({
  ...{ ring: count.max(highestRing), epoch: count.max(4_294_967_295), blobs: count },
  /** A reference to the option. `object` is null if it is the container itself. */
  held: z
    .object({
      account: z.string().max(32),
      container: z.string().max(63),
      object: z.string().max(1_024).nullable(),
    })
    .nullable(),
  /** What prevents progress. */
  message: z.string().max(255).nullable(),
});
/** What a cluster still has of a ring whose option is being deleted, in an epoch. */
export type RingEnd = Readonly<z.output<typeof ringEnd>>;

/** Nothing is left, and the cluster will never have anything again. */
export function isOver({ blobs, held, message }: RingEnd): boolean {
  return blobs === 0 && held === null && message === null;
}

export const controllerState = z.object({
  position,
  /** Clock of the controller, in Unix milliseconds. */
  clockMs: count,
  /** Epochs of the rings with which its cluster serves, by number. */
  rings: z.record(z.string().regex(/^\d{1,5}$/), count.max(4_294_967_295)),
  /** State of each other cluster, by number. */
  links: z
    .array(
      z.object({
        cluster: count.max(highestCluster),
        connected: z.boolean(),
        /** Partitions of which that cluster has changes that this one lacks. Null if unknown. */
        behindPartitions: count.nullable(),
        /** Age of the oldest such change, in milliseconds. Null if there is none or it is unknown. */
        lagMs: count.nullable(),
      }),
    )
    .max(mostClusters),
  /** Services of its cluster. */
  services: z
    .array(
      z.object({
        role: z.enum(serviceRoles),
        name: z.string().min(1).max(63),
        isReady: z.boolean(),
        version: z.string().min(1).max(63),
        /** Why it is not ready. */
        message: z.string().max(255).nullable(),
        /** The service should not serve users. */
        isDrained: z.boolean().optional(),
      }),
    )
    .max(1_000),
  /** Per ring and epoch, what its cluster is copying. */
  takeOvers: z.array(takeOver).max(100).default([]),
  /** Per ring whose option is being deleted, and per epoch, what its cluster still has. */
  ringEnds: z.array(ringEnd).max(mostRingEnds).default([]),
  /** Rings of which its cluster lost the data and has not recovered it yet. Undefined if unknown. */
  lostRings: z.array(count.max(highestRing)).max(1_000).optional(),
  /** The disk with its blobs. Null if unknown. */
  disk: z.object({ usedBytes: count, totalBytes: count }).nullable(),
  /** Measured speed of that disk, in bytes per second with files of 10 MB and 128 KB. Null or undefined if never measured. */
  measured: z
    .object({
      ...{ atMs: count, capacityBytes: count },
      ...{ bigWrite: count, bigRead: count, smallWrite: count, smallRead: count },
    })
    .nullish(),
});
export type ControllerState = z.output<typeof controllerState>;

/**
 * Verifies a document from the link before the controller stores it with the position. `keys`: known keys; undefined if none. `held`: the
 * generation of the stored document with this name; 0 if there is none. Throws DocumentError: the link must not go on.
 */
export function takeDocument(
  message: { readonly generation: number; readonly document: JsonValue },
  { keys, held }: { readonly keys: DocumentKeys | undefined; readonly held: number },
): VerifiedDocument {
  const document = keys === undefined ? firstKeys(message.document) : verifyDocument(message.document, keys, held);
  if (message.generation !== 0 && message.generation !== document.generation)
    throw new DocumentError(
      'MALFORMED',
      `generation ${message.generation} differs from the document's: ${document.generation}`,
    );
  return document;
}

function firstKeys(document: JsonValue): VerifiedDocument {
  const read = readDocument(signedDocumentShape.parse(document));
  if (read.kind !== 'keys' || read.body === undefined)
    throw new DocumentError('UNKNOWN_KEY', `${read.name} came before the keys of the control plane`);
  return verifyDocument(document, new DocumentKeys(read.body));
}
