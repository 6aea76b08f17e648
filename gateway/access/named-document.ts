// Ways to name a published operation in a request: Apollo's `extensions.persistedQuery`, or `documentId` (GraphQL over HTTP, appendix Persisted
// Documents).
import { createHash } from 'node:crypto';
import { CodedError, quoted } from '../../platform/errors/errors.ts';
import type { PublishedOperations } from './published-operations.ts';

export interface SentDocument {
  readonly query?: unknown;
  /** `sha256:` and the hash, or the hash alone. */
  readonly documentId?: unknown;
  readonly extensions?: unknown;
}

const hashPattern = /^[0-9a-f]{64}$/;

/**
 * The text of the operation, if the request names one by its hash. Undefined if it names none. Throws INVALID_INPUT,
 * PERSISTED_QUERY_NOT_FOUND and UNAVAILABLE.
 */
export function namedText(
  { query, documentId, extensions }: SentDocument,
  published: PublishedOperations,
): string | undefined {
  const apollo = persistedQueryIn(extensions);
  const asked = documentId == null ? undefined : hashOfId(documentId);
  const hash = apollo ?? asked;
  if (hash === undefined) return undefined;
  if (asked !== undefined && asked !== hash)
    throw new CodedError('INVALID_INPUT', 'documentId and extensions.persistedQuery differ; send one of them.');
  if (typeof query !== 'string' || query === '')
    return published.text(hash) ?? refuseUnknown(hash, apollo !== undefined);
  const own = createHash('sha256').update(query).digest('hex');
  if (own === hash) return query;
  throw new CodedError(
    'INVALID_INPUT',
    `The request names the operation ${hash}, but the SHA-256 of its query is ${own}; send that one, or one of the two.`,
  );
}

/** Clients of automatic persisted queries send the text too after exactly this message. */
const apolloMessage = 'PersistedQueryNotFound';

function refuseUnknown(hash: string, isApollo: boolean): never {
  throw new CodedError(
    'PERSISTED_QUERY_NOT_FOUND',
    isApollo
      ? apolloMessage
      : `No published operation has the hash ${hash}. Send its text as query, or have an administrator publish it.`,
  );
}

function persistedQueryIn(extensions: unknown): string | undefined {
  const { persistedQuery } = (extensions ?? {}) as { readonly persistedQuery?: unknown };
  if (persistedQuery == null) return undefined;
  const { version, sha256Hash } = persistedQuery as { readonly version?: unknown; readonly sha256Hash?: unknown };
  if (version !== 1)
    throw new CodedError(
      'INVALID_INPUT',
      `extensions.persistedQuery.version is ${quoted(version)}; the only version is 1.`,
    );
  return checkedHash('extensions.persistedQuery.sha256Hash', sha256Hash, sha256Hash);
}

function hashOfId(documentId: unknown): string {
  const bare = typeof documentId === 'string' ? documentId.replace(/^sha256:/, '') : undefined;
  return checkedHash('documentId', documentId, bare);
}

function checkedHash(field: string, given: unknown, hash: unknown): string {
  if (typeof hash === 'string' && hashPattern.test(hash)) return hash;
  throw new CodedError(
    'INVALID_INPUT',
    `${field} is ${quoted(given)}; give the SHA-256 of the text, as 64 lower-case hexadecimal digits.`,
  );
}
