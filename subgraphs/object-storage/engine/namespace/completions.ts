// Recognizes a repeated request to complete a multipart upload: a client that lost the answer sends it again, perhaps to another cluster.
// An object remembers the request that made it, so the memory ends with that version of the object and needs no table.
import { createHash } from 'node:crypto';
import type { Conditions, UploadedPart } from './namespace.ts';

export interface Completion {
  readonly uploadId: string;
  /** Digest of the parts and the conditions. */
  readonly request: string;
}

/** 132 bits. Every listing reads them. */
const digestCharacters = 22;

export function completionOf(
  uploadId: string,
  parts: readonly UploadedPart[],
  conditions: Conditions = {},
): Completion {
  const named = parts.map(({ part, etag, checksums = {} }) => [part, etag, Object.entries(checksums).sort()]);
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = conditions;
  const request = JSON.stringify([named, { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince }]);
  return { uploadId, request: createHash('sha256').update(request).digest('base64url').slice(0, digestCharacters) };
}

/** `OTHER`: the object was made by the same upload, from other parts or on other conditions. `made` is undefined for other objects. */
export function repetitionOf(
  { uploadId, request }: Completion,
  made: Completion | undefined,
): 'SAME' | 'OTHER' | undefined {
  if (made?.uploadId !== uploadId) return undefined;
  return made.request === request ? 'SAME' : 'OTHER';
}
