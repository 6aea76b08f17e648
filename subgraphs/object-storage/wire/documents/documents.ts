// The documents that the control plane sends to clusters: one shape for each kind, found by the document's name. A null body means that the
// thing no longer exists.
//
// Generations rise over all documents together, and one transaction writes documents that belong together. A cluster accepts a document
// only after all documents with lower generations. So a cluster that knows an account also knows the rings that existed before it.
import { z } from 'zod';

export const clusterStates = ['ACTIVE', 'DRAINING'] as const;
export type ClusterState = (typeof clusterStates)[number];

export const mostClusters = 256;
export const mostUrls = 8;
export const mostFormer = 1_000;
export const mostReplicas = 7;
/** Highest number of a cluster. */
export const highestCluster = 65_534;
/** Highest number of an option, and of a ring. */
export const highestRing = 65_535;

const clusterNumber = z.number().int().min(0).max(highestCluster);
const uuid = z.uuid();
const label = z.string().min(1).max(63);
const weight = z.number().positive();
const origins = z.array(z.string().min(8).max(300)).max(mostUrls);
const hex32 = z.string().regex(/^[0-9a-f]{32}$/);

/** SubjectPublicKeyInfo in base64, by key id: the keys whose signatures count. */
const keysDocument = z.object({
  keys: z.record(z.string().regex(/^[a-z0-9-]{1,32}$/), z.string().min(40).max(200)),
});

const clustersDocument = z.object({
  clusters: z
    .array(
      z.object({
        ...{ number: clusterNumber, id: uuid, name: label, zone: label, weight, state: z.enum(clusterStates) },
        ...{ peerUrls: origins, controllerUrls: origins, s3Urls: origins },
        /** P-256, PEM: verifies the cluster's tokens. Null until its controller has reported it. */
        publicKey: z.string().max(1_024).nullable(),
        /** Names of deleted clusters whose machines could be taken for its own: see cluster-names.ts. */
        former: z.array(label).max(mostFormer).optional(),
      }),
    )
    .max(mostClusters),
});

const optionsDocument = z.object({
  options: z
    .array(
      z.object({
        ...{ number: z.number().int().min(1).max(highestRing), id: uuid, name: label },
        ...{ replicas: z.number().int().min(1).max(mostReplicas), nearestReads: z.boolean(), isDefault: z.boolean() },
      }),
    )
    .max(1_000),
});

const ringDocument = z.object({
  ring: z.number().int().min(0).max(highestRing),
  epoch: z.number().int().min(1),
  /** Nothing was stored when the ring was made: a cluster that gains a partition has nothing to copy. */
  isEmpty: z.boolean(),
  /** One group; two during a change, when each read and write needs a majority of both. */
  groups: z
    .array(
      z.object({
        replicas: z.number().int().min(1).max(mostReplicas),
        /** From `packClusters`, in base64. */
        clusters: z.base64().max(100_000),
      }),
    )
    .min(1)
    .max(2),
  members: z.array(z.object({ cluster: clusterNumber, weight, zone: label })).max(mostClusters),
  /** Copying is paused. */
  isPaused: z.boolean().default(false),
  /** Members that lost their data or were restored from a backup: their data does not count, and they copy everything again. */
  recovering: z.array(clusterNumber).max(mostClusters).default([]),
  /** Its option is being deleted: it accepts no new containers or blobs. */
  isEnding: z.boolean().default(false),
});

const accountDocument = z.object({
  id: hex32,
  projectId: uuid,
  name: label,
  state: z.enum(['ACTIVE', 'CLOSED']),
});

const accessKeyDocument = z.object({
  accessKeyId: z.string().regex(/^[A-Z0-9]{16,32}$/),
  accountId: hex32,
  canWrite: z.boolean(),
  /** The secret, sealed for each cluster with a known public key, by the cluster's number. See seal-for.ts. */
  sealed: z.record(z.string().regex(/^\d{1,5}$/), z.string().max(1_000)),
  isRevoked: z.boolean(),
});

/** Written after all others when the control plane's database was restored. */
const historyDocument = z.object({
  id: uuid,
  /** Documents up to this generation are void: what is still valid was published again with later generations. */
  voidUpTo: z.number().int().nonnegative(),
});

export const documentShapes = {
  history: historyDocument,
  keys: keysDocument,
  clusters: clustersDocument,
  options: optionsDocument,
  ring: ringDocument,
  account: accountDocument,
  key: accessKeyDocument,
} as const;

export type DocumentKind = keyof typeof documentShapes;
export type DocumentBody<Kind extends DocumentKind> = z.output<(typeof documentShapes)[Kind]>;
export type HistoryDocument = DocumentBody<'history'>;
export type KeysDocument = DocumentBody<'keys'>;
export type ClustersDocument = DocumentBody<'clusters'>;
export type RingDocument = DocumentBody<'ring'>;
export type AccountDocument = DocumentBody<'account'>;
export type AccessKeyDocument = DocumentBody<'key'>;

const plain: ReadonlySet<string> = new Set<DocumentKind>(['history', 'keys', 'clusters', 'options']);

/** @example documentName('ring', 0) // ring/0 */
export function documentName(kind: DocumentKind, key?: string | number): string {
  return key === undefined ? kind : `${kind}/${key}`;
}

/** Name of an account in documents and registers: its UUID without hyphens. */
export function accountKey(uuid: string): string {
  return uuid.replaceAll('-', '');
}

/** The UUID of an account key. */
export function uuidOfKey(key: string): string {
  return key.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Undefined if no kind of document has this name. */
export function documentKind(name: string): DocumentKind | undefined {
  const [kind = '', key, ...rest] = name.split('/');
  if (!Object.hasOwn(documentShapes, kind) || rest.length > 0) return undefined;
  return (key === undefined) === plain.has(kind) && key !== '' ? (kind as DocumentKind) : undefined;
}

/** Whether the body describes the thing that the name refers to. */
export function isNamedSo(name: string, kind: DocumentKind, body: unknown): boolean {
  switch (kind) {
    case 'ring':
      return name === documentName('ring', (body as RingDocument).ring);
    case 'account':
      return name === documentName('account', (body as AccountDocument).id);
    case 'key':
      return name === documentName('key', (body as AccessKeyDocument).accessKeyId);
    default:
      return name === kind;
  }
}
