// Parses the signature of a request: from the Authorization header, or from the query of a presigned URL.
import { isDay } from '../../../../../platform/values/calendar-time.ts';
import { algorithm } from '../../../rules/sigv4/canonical.ts';
import { S3Error } from '../errors.ts';

export interface Claim {
  readonly accessKeyId: string;
  /** YYYYMMDD. */
  readonly day: string;
  readonly region: string;
  /** YYYYMMDDTHHMMSSZ. */
  readonly timestamp: string;
  readonly signedAtMs: number;
  readonly signedHeaders: readonly string[];
  /** 64 hexadecimal digits. */
  readonly signature: string;
  /** Presigned URLs only. */
  readonly validSeconds?: number;
}

const mostSignedHeaders = 100;
const mostSeconds = 7 * 24 * 3_600;

/** Throws S3Error. */
export function claimOfHeader(authorization: string, timestamp: string | undefined): Claim {
  const fail = (what: string) => new S3Error('AuthorizationHeaderMalformed', `The Authorization header ${what}.`);
  const fields = new Map(
    authorization
      .slice(algorithm.length)
      .split(',', 8)
      .map((field): [string, string] => {
        const equals = field.indexOf('=');
        return [field.slice(0, Math.max(equals, 0)).trim(), field.slice(equals + 1).trim()];
      }),
  );
  if (timestamp === undefined)
    throw new S3Error('AccessDenied', 'A signed request needs a valid Date or x-amz-date header.');
  return claimOf(
    {
      credential: fields.get('Credential') ?? '',
      signedHeaders: fields.get('SignedHeaders') ?? '',
      signature: fields.get('Signature') ?? '',
      timestamp,
    },
    fail,
  );
}

/** Throws S3Error. */
export function claimOfQuery(query: ReadonlyMap<string, string>): Claim {
  const fail = (what: string) => new S3Error('AuthorizationQueryParametersError', `The query ${what}.`);
  if (query.get('X-Amz-Algorithm') !== algorithm) throw fail(`must have X-Amz-Algorithm=${algorithm}`);
  const seconds = query.get('X-Amz-Expires') ?? '';
  if (!/^\d{1,7}$/.test(seconds) || Number(seconds) < 1 || Number(seconds) > mostSeconds)
    throw fail(`must have X-Amz-Expires from 1 to ${mostSeconds} seconds`);
  const claim = claimOf(
    {
      credential: query.get('X-Amz-Credential') ?? '',
      signedHeaders: query.get('X-Amz-SignedHeaders') ?? '',
      signature: query.get('X-Amz-Signature') ?? '',
      timestamp: query.get('X-Amz-Date') ?? '',
    },
    fail,
  );
  return { ...claim, validSeconds: Number(seconds) };
}

interface ClaimedTexts {
  readonly credential: string;
  readonly signedHeaders: string;
  readonly signature: string;
  readonly timestamp: string;
}

function claimOf(texts: ClaimedTexts, fail: (what: string) => S3Error): Claim {
  const [accessKeyId = '', day = '', region = '', service, end, ...more] = texts.credential.split('/', 6);
  if (accessKeyId === '' || accessKeyId.length > 128 || service !== 's3' || end !== 'aws4_request' || more.length > 0)
    throw fail('needs a Credential of the form <access key>/<day>/<region>/s3/aws4_request');
  const signedAtMs = timeOf(texts.timestamp);
  if (signedAtMs === undefined) throw fail('needs a date of the form YYYYMMDDTHHMMSSZ');
  if (day !== texts.timestamp.slice(0, 8)) throw fail('has a Credential for another day than its date');
  const signedHeaders = texts.signedHeaders.split(';', mostSignedHeaders + 1);
  if (signedHeaders.length > mostSignedHeaders || !signedHeaders.every((name) => /^[!-9<-~]+$/.test(name)))
    throw fail('needs SignedHeaders separated by semicolons');
  if (!signedHeaders.includes('host')) throw fail('must have host among its SignedHeaders');
  if (!/^[0-9a-f]{64}$/.test(texts.signature)) throw fail('needs a Signature of 64 hexadecimal digits');
  return {
    accessKeyId,
    day,
    region,
    timestamp: texts.timestamp,
    signedAtMs,
    signedHeaders,
    signature: texts.signature,
  };
}

function timeOf(timestamp: string): number | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(timestamp)?.slice(1).map(Number);
  if (parts === undefined) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts;
  if (!isDay(year, month, day) || hour > 23 || minute > 59 || second > 59) return undefined;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}
