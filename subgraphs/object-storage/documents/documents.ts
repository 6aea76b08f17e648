// What the centre tells clusters: one shape for each kind of document, by the document's name. A body of null says that there is no such
// thing any more.
//
// Generations rise over all documents together, and one transaction writes what belongs together: a document is taken only by who has taken
// those of lower generations before it. So whoever knows an account knows the rings that were there before it.
import { z } from 'zod';
import { clusterStates } from '../events.ts';

export const mostClusters = 256;
export const mostUrls = 8;
export const mostReplicas = 7;
/** Highest cluster. */
export const highestCluster = 65_534;
/** Highest option, and ring. */
export const highestRing = 65_535;

const clusterNumber = z.number().int().min(0).max(highestCluster);
const uuid = z.uuid();
const label = z.string().min(1).max(63);
const weight = z.number().positive();
const origins = z.array(z.string().min(8).max(300)).max(mostUrls);
const hex32 = z.string().regex(/^[0-9a-f]{32}$/);

/** SubjectPublicKeyInfo in base64, by id: whose signatures count. */
export const keysDocument = z.object({
  keys: z.record(z.string().regex(/^[a-z0-9-]{1,32}$/), z.string().min(40).max(200)),
});

export const clustersDocument = z.object({
  clusters: z
    .array(
      z.object({
        ...{ number: clusterNumber, id: uuid, name: label, zone: label, weight, state: z.enum(clusterStates) },
        ...{ peerUrls: origins, controllerUrls: origins, s3Urls: origins },
        /** P-256, PEM: its tokens are verified with it. Null: its controller has not told it yet. */
        publicKey: z.string().max(1_024).nullable(),
      }),
    )
    .max(mostClusters),
});

export const optionsDocument = z.object({
  options: z
    .array(
      z.object({
        ...{ number: z.number().int().min(1).max(highestRing), id: uuid, name: label },
        ...{ replicas: z.number().int().min(1).max(mostReplicas), nearestReads: z.boolean(), isDefault: z.boolean() },
      }),
    )
    .max(1_000),
});

export const ringDocument = z.object({
  ring: z.number().int().min(0).max(highestRing),
  epoch: z.number().int().min(1),
  /** Nothing had been stored when it was made: who gets a partition has nothing to bring over. */
  isEmpty: z.boolean(),
  /** One; during a change two: each read and write needs a majority of both. */
  groups: z
    .array(
      z.object({
        replicas: z.number().int().min(1).max(mostReplicas),
        /** Of `packClusters`, in base64. */
        clusters: z.base64().max(100_000),
      }),
    )
    .min(1)
    .max(2),
  members: z.array(z.object({ cluster: clusterNumber, weight, zone: label })).max(mostClusters),
  /** Nothing is brought over for now. */
  isPaused: z.boolean().default(false),
  /** Members that have lost what they had, or came back from a backup: nothing that they have counts, and they take over all of it anew. */
  recovering: z.array(clusterNumber).max(mostClusters).default([]),
  /** Its option is being deleted: no new container and no blob may come into it. */
  isEnding: z.boolean().default(false),
});

export const accountDocument = z.object({
  id: hex32,
  projectId: uuid,
  name: label,
  state: z.enum(['ACTIVE', 'CLOSED']),
});

export const accessKeyDocument = z.object({
  accessKeyId: z.string().regex(/^[A-Z0-9]{16,32}$/),
  accountId: hex32,
  canWrite: z.boolean(),
  /** The secret, sealed for each cluster that has told its public key, by its number. See seal-for.ts. */
  sealed: z.record(z.string().regex(/^\d{1,5}$/), z.string().max(1_000)),
  isRevoked: z.boolean(),
});

export const documentShapes = {
  keys: keysDocument,
  clusters: clustersDocument,
  options: optionsDocument,
  ring: ringDocument,
  account: accountDocument,
  key: accessKeyDocument,
} as const;

export type DocumentKind = keyof typeof documentShapes;
export type DocumentBody<Kind extends DocumentKind> = z.output<(typeof documentShapes)[Kind]>;
export type KeysDocument = DocumentBody<'keys'>;
export type ClustersDocument = DocumentBody<'clusters'>;
export type OptionsDocument = DocumentBody<'options'>;
export type RingDocument = DocumentBody<'ring'>;
export type AccountDocument = DocumentBody<'account'>;
export type AccessKeyDocument = DocumentBody<'key'>;

const plain: ReadonlySet<string> = new Set<DocumentKind>(['keys', 'clusters', 'options']);

/** @example documentName('ring', 0) // ring/0 */
export function documentName(kind: DocumentKind, key?: string | number): string {
  return key === undefined ? kind : `${kind}/${key}`;
}

/** An account in documents and registers: its UUID without hyphens. */
export function accountKey(uuid: string): string {
  return uuid.replaceAll('-', '');
}

/** The UUID of such a key. */
export function uuidOfKey(key: string): string {
  return key.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Undefined: no kind of document has such a name. */
export function documentKind(name: string): DocumentKind | undefined {
  const [kind = '', key, ...rest] = name.split('/');
  if (!Object.hasOwn(documentShapes, kind) || rest.length > 0) return undefined;
  return (key === undefined) === plain.has(kind) && key !== '' ? (kind as DocumentKind) : undefined;
}

/** The thing of which the body speaks must be that of the name. */
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
