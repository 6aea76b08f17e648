// What an object store's refusals mean, and what a person can do about each.
import { BackupFaults, fault } from './faults.ts';
import type { S3Settings } from './s3-settings.ts';

const rights =
  's3:ListBucket, s3:ListBucketMultipartUploads, s3:GetObject, s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload';

export interface Refusal {
  readonly status: number;
  /** S3's error code. Empty if there was none. */
  readonly code: string;
  readonly message: string;
  /** The bucket's, if the store says it. */
  readonly region: string | undefined;
}

export class S3Fault extends BackupFaults {
  readonly code: string;

  constructor({ endpoint, bucket, accessKeyId, region: own }: S3Settings, refusal: Refusal, doing: string) {
    const { status, code, message, region } = refusal;
    const store = endpoint.origin;
    const words: Readonly<Record<string, string>> = {
      NoSuchBucket: `${store} has no bucket ${bucket}: create it, or correct the address`,
      AccessDenied: `${store} does not let the access key ${accessKeyId} ${doing} in ${bucket}: give it ${rights}`,
      InvalidAccessKeyId: `${store} does not know the access key ${accessKeyId}: give one of this store, or correct AWS_ENDPOINT_URL`,
      SignatureDoesNotMatch: `${store} does not accept the secret of the access key ${accessKeyId}: correct AWS_SECRET_ACCESS_KEY`,
      ExpiredToken: `the credentials of ${accessKeyId} have expired: get new ones`,
      RequestTimeTooSkewed: `the clock of this host (${new Date().toISOString()}) is not that of ${store}: correct it`,
      SlowDown: `${store} takes no more requests for now: try again later, or with fewer clients`,
      InsufficientStorage: `${store} has no room for it: make room, or delete old backups`,
    };
    const isElsewhere =
      status === 301 || code === 'AuthorizationHeaderMalformed' || code === 'IllegalLocationConstraintException';
    const known = isElsewhere
      ? `the bucket ${bucket} is not in the region ${own}: set AWS_REGION${region === undefined ? '' : ` to ${region}`}`
      : words[code];
    super([known ?? `${store} refuses to ${doing} in ${bucket}: ${status} ${code} ${message}`.trimEnd()]);
    this.code = code;
  }
}

export function isUntrusted(error: unknown): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS/.test((error as NodeJS.ErrnoException).code ?? '');
}

/** Of a request that got no answer. */
export function unreachable({ endpoint }: S3Settings, error: unknown, tries: number): never {
  const { code, message } = error as NodeJS.ErrnoException;
  if (isUntrusted(error))
    return fault(`the certificate of ${endpoint.origin} is not trusted (${code}): give its authority in AWS_CA_BUNDLE`);
  return fault(
    `${endpoint.origin} does not answer (${code ?? message}; ${tries} tries): check AWS_ENDPOINT_URL and the network`,
  );
}
