// S3's error codes with their HTTP status (Amazon S3 API Reference, "Error responses"), and the S3 error for each refusal of the namespace.
import { ObjectError, type ObjectErrorCode } from '../../wire/object-error.ts';

const statuses = {
  AccessDenied: 403,
  AuthorizationHeaderMalformed: 400,
  AuthorizationQueryParametersError: 400,
  BadDigest: 400,
  BucketAlreadyOwnedByYou: 409,
  BucketNotEmpty: 409,
  EntityTooLarge: 400,
  EntityTooSmall: 400,
  IncompleteBody: 400,
  /** Not one of Amazon's: the disks of too many clusters are nearly full. */
  InsufficientStorage: 507,
  InternalError: 500,
  InvalidAccessKeyId: 403,
  InvalidArgument: 400,
  InvalidBucketName: 400,
  InvalidChunkSizeError: 403,
  InvalidDigest: 400,
  InvalidLocationConstraint: 400,
  InvalidPart: 400,
  InvalidPartOrder: 400,
  InvalidRange: 416,
  InvalidRequest: 400,
  InvalidStorageClass: 400,
  InvalidToken: 400,
  InvalidURI: 400,
  KeyTooLongError: 400,
  MalformedTrailerError: 400,
  MalformedXML: 400,
  MetadataTooLarge: 400,
  MethodNotAllowed: 405,
  MissingContentLength: 411,
  MissingSecurityHeader: 400,
  NoSuchBucket: 404,
  NoSuchBucketPolicy: 404,
  NoSuchCORSConfiguration: 404,
  NoSuchKey: 404,
  NoSuchLifecycleConfiguration: 404,
  NoSuchPublicAccessBlockConfiguration: 404,
  NoSuchTagSet: 404,
  NoSuchUpload: 404,
  NoSuchVersion: 404,
  NoSuchWebsiteConfiguration: 404,
  NotImplemented: 501,
  NotModified: 304,
  ObjectLockConfigurationNotFoundError: 404,
  OwnershipControlsNotFoundError: 404,
  PreconditionFailed: 412,
  ReplicationConfigurationNotFoundError: 404,
  RequestHeaderSectionTooLarge: 400,
  RequestTimeTooSkewed: 403,
  RequestTimeout: 400,
  ServerSideEncryptionConfigurationNotFoundError: 404,
  ServiceUnavailable: 503,
  SignatureDoesNotMatch: 403,
  SlowDown: 503,
  XAmzContentSHA256Mismatch: 400,
} as const;

export type S3Code = keyof typeof statuses;

export class S3Error extends Error {
  override readonly name = 'S3Error';
  readonly code: S3Code;
  /** Additional elements of the answer. */
  readonly details: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: S3Code,
    message: string,
    more: {
      readonly details?: Readonly<Record<string, string>>;
      readonly headers?: Readonly<Record<string, string>>;
    } = {},
  ) {
    super(message);
    this.code = code;
    this.details = more.details ?? {};
    this.headers = more.headers ?? {};
  }

  get status(): number {
    return statuses[this.code];
  }
}

const retryAfterSeconds = '5';

const codes: Readonly<Record<ObjectErrorCode, S3Code>> = {
  NO_CONTAINER: 'NoSuchBucket',
  CONTAINER_EXISTS: 'BucketAlreadyOwnedByYou',
  CONTAINER_NOT_EMPTY: 'BucketNotEmpty',
  NO_OBJECT: 'NoSuchKey',
  NO_UPLOAD: 'NoSuchUpload',
  INVALID_PART: 'InvalidPart',
  PART_TOO_SMALL: 'EntityTooSmall',
  PRECONDITION_FAILED: 'PreconditionFailed',
  NOT_MODIFIED: 'NotModified',
  INVALID_NAME: 'InvalidArgument',
  TOO_LARGE: 'EntityTooLarge',
  BODY_CUT_OFF: 'IncompleteBody',
  NO_QUORUM: 'ServiceUnavailable',
  FATE_UNKNOWN: 'ServiceUnavailable',
  DISK_FULL: 'InsufficientStorage',
  NOT_ALLOWED: 'AccessDenied',
  NEAREST_NOT_ALLOWED: 'InvalidRequest',
  NO_OPTION: 'InvalidLocationConstraint',
  TOO_MANY_UPLOADS: 'InvalidRequest',
  ISOLATED: 'ServiceUnavailable',
};

const fateUnknown =
  'It is unknown whether this request took effect: a cluster may have accepted it, and it may become visible later. Read the object before you send the request again.';

/** Undefined for a bug in this program. */
export function s3ErrorOf(error: unknown): S3Error | undefined {
  if (error instanceof S3Error) return error;
  if (!(error instanceof ObjectError)) return undefined;
  const code = codes[error.code];
  const headers = code === 'ServiceUnavailable' ? { headers: { 'retry-after': retryAfterSeconds } } : {};
  return new S3Error(code, error.code === 'FATE_UNKNOWN' ? fateUnknown : error.message, headers);
}

export function slowDown(what: 'requests' | 'connections' | 'documents'): S3Error {
  const message = `Your account, or this server, has too many ${what} at once: send this request again later.`;
  return new S3Error('SlowDown', message, {
    headers: { 'retry-after': '1' },
  });
}

/** For parts of S3 that this server lacks. */
export function notImplemented(what: string): S3Error {
  return new S3Error('NotImplemented', `${what} is not implemented here.`);
}
