// How the body is signed: by its digest, not at all, or in chunks with their own signatures or trailers (Amazon S3 API Reference,
// "x-amz-content-sha256").
import { unsignedPayload } from '../../../rules/sigv4/canonical.ts';
import { S3Error } from '../errors.ts';
import type { ChunkSigner } from './chunks.ts';

export type Payload =
  | { readonly kind: 'SHA256'; readonly sha256: string }
  | { readonly kind: 'UNSIGNED' }
  | { readonly kind: 'CHUNKS'; readonly signer?: ChunkSigner; readonly hasTrailers: boolean };

/** `signer`: undefined if the request has no signature from which a chain could start. */
export function payloadOf(contentSha256: string, signer: ChunkSigner | undefined): Payload {
  switch (contentSha256) {
    case unsignedPayload:
      return { kind: 'UNSIGNED' };
    case 'STREAMING-UNSIGNED-PAYLOAD-TRAILER':
      return { kind: 'CHUNKS', hasTrailers: true };
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD':
      return { kind: 'CHUNKS', signer: needed(signer), hasTrailers: false };
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER':
      return { kind: 'CHUNKS', signer: needed(signer), hasTrailers: true };
    case 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD':
    case 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER':
      throw new S3Error('NotImplemented', 'Signature Version 4A is not implemented here: use AWS4-HMAC-SHA256.');
  }
  if (!/^[0-9a-f]{64}$/.test(contentSha256))
    throw new S3Error(
      'InvalidArgument',
      `x-amz-content-sha256 must be ${unsignedPayload}, a STREAMING value, or the SHA-256 digest in lower-case hexadecimal digits.`,
      { details: { ArgumentName: 'x-amz-content-sha256' } },
    );
  return { kind: 'SHA256', sha256: contentSha256 };
}

function needed(signer: ChunkSigner | undefined): ChunkSigner {
  if (signer !== undefined) return signer;
  throw new S3Error('InvalidRequest', 'Signed chunks need a request that is signed in its Authorization header.');
}
