// Authenticates a request: by its signature (Signature Version 4, in a header or the query), or by a token of this installation.
import { type KeyObject, timingSafeEqual } from 'node:crypto';
import {
  algorithm,
  canonicalRequest,
  type SignedRequest,
  sign,
  stringToSign,
  timestampOf,
  unsignedPayload,
} from '../../../rules/sigv4/canonical.ts';
import { SigningKeys } from '../../../rules/sigv4/signing-keys.ts';
import type { Caller } from '../../namespace/namespace.ts';
import { type AccessKeys, projectHeader, type Tokens } from '../access-ports.ts';
import { S3Error } from '../errors.ts';
import { optionHeader } from '../option.ts';
import type { ChunkSigner } from './chunks.ts';
import { type Claim, claimOfHeader, claimOfQuery } from './claim.ts';
import { type Payload, payloadOf } from './payload.ts';

interface Authenticated {
  readonly caller: Caller;
  readonly payload: Payload;
}

interface AuthenticatorOptions {
  readonly keys: AccessKeys;
  readonly tokens: Tokens;
  readonly region: string;
  readonly nowMs: () => number;
}

const mostSkewMs = 15 * 60_000;
const mostTokenLength = 8_192;
/** The signature covers these in its own way. */
const coveredAnyway: ReadonlySet<string> = new Set(['x-amz-content-sha256', 'x-amz-date']);

export class RequestAuthenticator {
  readonly #options: AuthenticatorOptions;
  readonly #signingKeys = new SigningKeys();

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
  }

  /** Throws S3Error. Does not read the body. */
  async authenticate(request: SignedRequest): Promise<Authenticated> {
    const query = new Map(request.pairs);
    const authorization = request.headers.get('authorization');
    const isPresigned = query.has('X-Amz-Signature') || query.has('X-Amz-Algorithm');
    if (authorization !== undefined && isPresigned)
      throw new S3Error(
        'InvalidArgument',
        'A request is signed in its Authorization header or in its query, not in both.',
      );
    if (isPresigned) return this.#presigned(request, query);
    if (authorization?.startsWith(`${algorithm} `)) return this.#signed(request, authorization);
    if (authorization !== undefined && /^bearer /i.test(authorization))
      return this.#token(authorization.slice('bearer '.length).trim(), request);
    const isOld = query.has('AWSAccessKeyId') && query.has('Signature');
    if (authorization === undefined && !isOld) throw new S3Error('AccessDenied', 'Requests must be signed.');
    throw new S3Error('InvalidRequest', `This way to authorise is not supported: use ${algorithm}.`);
  }

  async #signed(request: SignedRequest, authorization: string): Promise<Authenticated> {
    const claim = claimOfHeader(authorization, timestampIn(request));
    const nowMs = this.#options.nowMs();
    if (Math.abs(nowMs - claim.signedAtMs) > mostSkewMs)
      throw new S3Error('RequestTimeTooSkewed', "The time of the request differs too much from the server's.", {
        details: {
          RequestTime: claim.timestamp,
          ServerTime: new Date(nowMs).toISOString(),
          MaxAllowedSkewMilliseconds: String(mostSkewMs),
        },
      });
    const contentSha256 = request.headers.get('x-amz-content-sha256');
    if (contentSha256 === undefined)
      throw new S3Error('InvalidRequest', 'A signed request needs the header x-amz-content-sha256.');
    const { caller, key, scope } = await this.#verify(request, claim, contentSha256);
    const signer: ChunkSigner = { key, timestamp: claim.timestamp, scope, seed: claim.signature };
    return { caller, payload: payloadOf(contentSha256, signer) };
  }

  async #presigned(request: SignedRequest, query: ReadonlyMap<string, string>): Promise<Authenticated> {
    const claim = claimOfQuery(query);
    const nowMs = this.#options.nowMs();
    if (claim.signedAtMs > nowMs + mostSkewMs) throw new S3Error('AccessDenied', 'This URL is not valid yet.');
    const endsAtMs = claim.signedAtMs + (claim.validSeconds ?? 0) * 1_000;
    if (endsAtMs < nowMs)
      throw new S3Error('AccessDenied', 'This URL has expired.', {
        details: { Expires: new Date(endsAtMs).toISOString(), ServerTime: new Date(nowMs).toISOString() },
      });
    const contentSha256 =
      query.get('X-Amz-Content-Sha256') ?? request.headers.get('x-amz-content-sha256') ?? unsignedPayload;
    const { caller } = await this.#verify(request, claim, contentSha256);
    return { caller, payload: payloadOf(contentSha256, undefined) };
  }

  async #verify(
    request: SignedRequest,
    claim: Claim,
    contentSha256: string,
  ): Promise<{ readonly caller: Caller; readonly key: KeyObject; readonly scope: string }> {
    const isPresigned = claim.validSeconds !== undefined;
    if (claim.region !== this.#options.region)
      throw new S3Error(
        isPresigned ? 'AuthorizationQueryParametersError' : 'AuthorizationHeaderMalformed',
        `The request is signed for another region: sign it for ${this.#options.region}.`,
        { details: { Region: this.#options.region } },
      );
    refuseUnsigned(request, claim);
    if (request.headers.has('x-amz-security-token') || request.pairs.some(([name]) => name === 'X-Amz-Security-Token'))
      throw new S3Error('InvalidToken', 'Session tokens are not supported: sign with the access key alone.');
    if (request.headers.has(projectHeader))
      throw new S3Error(
        'InvalidRequest',
        `An access key belongs to one project: send ${projectHeader} only with a token, or sign with a key of that project.`,
      );
    const known = await this.#options.keys.find(claim.accessKeyId);
    if (known === undefined)
      throw new S3Error('InvalidAccessKeyId', 'There is no such access key, or it is revoked.', {
        details: { AWSAccessKeyId: claim.accessKeyId },
      });
    const key = this.#signingKeys.of(claim.accessKeyId, known.secret, claim.day, claim.region);
    const scope = `${claim.day}/${claim.region}/s3/aws4_request`;
    const canonical = canonicalRequest(
      request,
      claim.signedHeaders,
      contentSha256,
      isPresigned ? 'X-Amz-Signature' : undefined,
    );
    const computed = sign(key, stringToSign(claim.timestamp, scope, canonical));
    if (!timingSafeEqual(computed, Buffer.from(claim.signature, 'hex')))
      throw new S3Error(
        'SignatureDoesNotMatch',
        'The signature does not match the one computed here: check the secret access key and how the request is signed.',
        { details: { AWSAccessKeyId: claim.accessKeyId } },
      );
    return { caller: known.caller, key, scope };
  }

  async #token(token: string, request: SignedRequest): Promise<Authenticated> {
    const project = request.headers.get(projectHeader);
    const caller = token.length > mostTokenLength ? undefined : await this.#options.tokens.verify(token, project);
    if (caller === undefined)
      throw new S3Error('AccessDenied', 'The token is not valid here, or has expired: log in again.');
    return { caller, payload: payloadOf(request.headers.get('x-amz-content-sha256') ?? unsignedPayload, undefined) };
  }
}

/** Otherwise the holder of a presigned URL could add headers: metadata, a source to copy, an option. */
function refuseUnsigned(request: SignedRequest, claim: Claim): void {
  const unsigned = [...request.headers.keys()].filter(
    (name) =>
      (name.startsWith('x-amz-') || name === optionHeader) &&
      !coveredAnyway.has(name) &&
      !claim.signedHeaders.includes(name),
  );
  if (unsigned.length > 0)
    throw new S3Error('AccessDenied', 'The request has headers that are not signed.', {
      details: { HeadersNotSigned: unsigned.join(', ') },
    });
}

function timestampIn(request: SignedRequest): string | undefined {
  const given = request.headers.get('x-amz-date');
  if (given !== undefined) return given;
  const ms = Date.parse(request.headers.get('date') ?? '');
  return Number.isNaN(ms) ? undefined : timestampOf(ms);
}
