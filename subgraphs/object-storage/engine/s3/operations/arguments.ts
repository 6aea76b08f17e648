// Arguments that several operations share.
import type { Call } from '../call.ts';
import { S3Error } from '../errors.ts';

const mostEntries = 1_000;
/** Clients in Java ask for this many to get all. */
const highestInteger = 2 ** 31 - 1;

/** Page size: at most 1000. */
export function pageSizeOf(call: Call, name: string): number {
  return Math.min(integerOf(call, name, mostEntries), mostEntries);
}

/** Not negative. */
export function integerOf({ s3Address }: Call, name: string, missing: number): number {
  const value = s3Address.query.get(name);
  if (value === undefined || value === '') return missing;
  if (!/^\d{1,10}$/.test(value) || Number(value) > highestInteger)
    throw wrongArgument(name, value, `must be an integer from 0 to ${highestInteger}`);
  return Number(value);
}

export function wrongArgument(name: string, value: string, what: string): S3Error {
  return new S3Error('InvalidArgument', `${name} ${what}.`, {
    details: { ArgumentName: name, ArgumentValue: value.slice(0, 1_024) },
  });
}

/** Each object has one version, which is named null. An empty id may stand for a version that the client meant to name. */
export function checkVersion(versionId: string | undefined): void {
  if (versionId === '') throw wrongArgument('versionId', '', 'must not be empty: give null, or leave it out');
  if (versionId !== undefined && versionId !== 'null')
    throw new S3Error('NoSuchVersion', 'The bucket has no versioning: the only version of an object is null.', {
      details: { VersionId: versionId.slice(0, 1_024) },
    });
}
