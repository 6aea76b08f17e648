// What goes over the link between a cluster's controller (role objectcontroller) and the centre (platform/link).
//
// - The controller's facts say up to which generation it has every document (`position`). The centre sends those after it, in the order of
//   their generations, each as a signed document (documents/signed-document.ts): key is its name, generation its own. The controller commits
//   each with its position before it takes the next.
// - A document with the link's generation 0 is out of order: it is taken, and the position stays. So a controller that does not know the
//   centre's keys gets the document `keys` first. One that knows none takes them as they are: the other end is the centre's machine.
// - `whole`: all that was committed before is sent. The centre says it again each `wholeEveryMs`, in which it read its database: the time
//   since the last one is how long a cluster may have missed a revocation.
// - Reports: key `state`, a ControllerState each `stateEveryMs`.
import { z } from 'zod';
import type { JsonValue } from '../../../platform/json.ts';
import { partitionCount } from '../../../platform/rings/ring.ts';
import { highestCluster, highestRing, mostClusters } from '../documents/documents.ts';
import {
  DocumentError,
  DocumentKeys,
  readDocument,
  signedDocumentShape,
  type VerifiedDocument,
  verifyDocument,
} from '../documents/signed-document.ts';

/** Of the machines that are controllers, and of those that they connect to. */
export const controllerRole = 'objectcontroller';
export const centreRole = 'object-storage';

export const wholeEveryMs = 1_000;
export const stateEveryMs = 1_000;
/** A controller that was not heard for so long is absent. */
export const silentForMs = 10_000;
/** Without a sign of life for so long, the other end of a link is taken for lost. */
export const linkSilentMs = 5_000;

export const stateKey = 'state';

/** At a controller's endpoint, for those of other clusters: `?after=GENERATION`. */
export const documentsPath = '/-/documents';
export const documentsAtOnce = 100;

const count = z.number().int().nonnegative();
const keyId = z.string().min(1).max(32);

/** What a controller is and has, in its hello. */
export const controllerFacts = z.object({
  /** It has every document up to this generation. */
  position: count,
  /** The keys of the centre that it knows. */
  keyIds: z.array(keyId).max(100),
  /** P-256, PEM: secrets are sealed for its cluster with it. All controllers of a cluster have the same. */
  publicKey: z.string().max(1_024),
  /** Of the program. */
  version: z.string().min(1).max(63),
});
export type ControllerFacts = z.output<typeof controllerFacts>;

export const serviceRoles = ['objectcontroller', 'objectresolver', 'objectserver'] as const;

/** One server of a cluster looks at them, so that there are usually as many as options end. */
export const mostRingEnds = 100;

const takeOver = z.object({
  ring: count.max(highestRing),
  epoch: count.max(4_294_967_295),
  partitions: count.max(partitionCount),
  /** Of these, those of which something is missing yet. */
  left: count.max(partitionCount),
  movedBytes: count,
  /** What is in the way. */
  message: z.string().max(255).nullable(),
});
/** How far a cluster is with what it takes over of a ring in an epoch. */
export type TakeOver = Readonly<z.output<typeof takeOver>>;

const ringEnd = z.object({
  ...{ ring: count.max(highestRing), epoch: count.max(4_294_967_295), blobs: count },
  /** What refers to the option; `object`: null: the container itself. */
  held: z
    .object({
      account: z.string().max(32),
      container: z.string().max(63),
      object: z.string().max(1_024).nullable(),
    })
    .nullable(),
  /** What is in the way. */
  message: z.string().max(255).nullable(),
});
/** What a cluster has left of a ring whose option is being deleted, in an epoch. */
export type RingEnd = Readonly<z.output<typeof ringEnd>>;

/** Nothing is left, and the cluster never has anything again. */
export function isOver({ blobs, held, message }: RingEnd): boolean {
  return blobs === 0 && held === null && message === null;
}

export const controllerState = z.object({
  position: count,
  /** Its clock, Unix milliseconds. */
  clockMs: count,
  /** Epochs of the rings that its cluster serves with, by number. */
  rings: z.record(z.string().regex(/^\d{1,5}$/), count.max(4_294_967_295)),
  /** To each other cluster, by number. */
  links: z
    .array(
      z.object({
        cluster: count.max(highestCluster),
        connected: z.boolean(),
        /** Partitions of which that cluster has changes that this one lacks; null: not known. */
        behindPartitions: count.nullable(),
        /** Age of the oldest such change, in milliseconds; null: none, or not known. */
        lagMs: count.nullable(),
      }),
    )
    .max(mostClusters),
  /** Of its cluster. */
  services: z
    .array(
      z.object({
        role: z.enum(serviceRoles),
        name: z.string().min(1).max(63),
        isReady: z.boolean(),
        version: z.string().min(1).max(63),
        /** Why it is not ready. */
        message: z.string().max(255).nullable(),
        /** It is to serve no users. */
        isDrained: z.boolean().optional(),
      }),
    )
    .max(1_000),
  /** Of rings, by epoch, what its cluster takes over. */
  takeOvers: z.array(takeOver).max(100).default([]),
  /** Of rings whose options are being deleted, by epoch, what its cluster has left. */
  ringEnds: z.array(ringEnd).max(mostRingEnds).default([]),
  /** Of which its cluster lost what it had, and is not recovered yet; undefined: not known. */
  lostRings: z.array(count.max(highestRing)).max(1_000).optional(),
  /** Where its blobs are; null: not known. */
  disk: z.object({ usedBytes: count, totalBytes: count }).nullable(),
  /** How fast that disk was when it was measured; null or undefined: it was not. Bytes a second with files of 10 MB and 128 KB. */
  measured: z
    .object({
      ...{ atMs: count, capacityBytes: count },
      ...{ bigWrite: count, bigRead: count, smallWrite: count, smallRead: count },
    })
    .nullish(),
});
export type ControllerState = z.output<typeof controllerState>;

export interface TakenDocument {
  readonly document: VerifiedDocument;
  /** The position once it is stored. */
  readonly position: number;
}

/**
 * What a controller does with a document of the link before it stores it with the position. `keys`: those that it knows; undefined: none.
 * `held`: the generation of the document of this name that it has; 0: none. Throws DocumentError: the link must not go on.
 */
export function takeDocument(
  message: { readonly generation: number; readonly document: JsonValue },
  {
    keys,
    held,
    position,
  }: { readonly keys: DocumentKeys | undefined; readonly held: number; readonly position: number },
): TakenDocument {
  const document = keys === undefined ? firstKeys(message.document) : verifyDocument(message.document, keys, held);
  if (message.generation !== 0 && message.generation !== document.generation)
    throw new DocumentError(
      'MALFORMED',
      `generation ${message.generation} is not the document's: ${document.generation}`,
    );
  return { document, position: Math.max(position, message.generation) };
}

function firstKeys(document: JsonValue): VerifiedDocument {
  const read = readDocument(signedDocumentShape.parse(document));
  if (read.kind !== 'keys' || read.body === undefined)
    throw new DocumentError('UNKNOWN_KEY', `${read.name} came before the keys of the centre`);
  return verifyDocument(document, new DocumentKeys(read.body));
}
