// Byte ranges (RFC 9110, section 14). Only single ranges are served. A header with several ranges, or a malformed one, is ignored, as the
// RFC allows.
import type { Range } from '../namespace/namespace.ts';
import { S3Error } from './errors.ts';

/** Undefined selects the whole object. Throws S3Error InvalidRange if the object ends before the range begins. */
export function rangeIn(value: string, sizeBytes: number): Range | undefined {
  const found = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(value.replaceAll(' ', ''));
  const [, first = '', last = ''] = found ?? [];
  if (first === '' && last === '') return undefined;
  if (first === '') {
    const count = Math.min(Number(last), sizeBytes);
    if (count === 0) throw outOf(value, sizeBytes);
    return { firstByte: sizeBytes - count, lastByte: sizeBytes - 1 };
  }
  if (last !== '' && Number(last) < Number(first)) return undefined;
  if (Number(first) >= sizeBytes) throw outOf(value, sizeBytes);
  return { firstByte: Number(first), lastByte: last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1) };
}

/** For x-amz-copy-source-range, which must be exact. */
export function exactRange(value: string, sizeBytes: number): Range {
  const found = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(value);
  if (found === null)
    throw new S3Error('InvalidArgument', 'x-amz-copy-source-range has the form bytes=<first>-<last>.', {
      details: { ArgumentName: 'x-amz-copy-source-range', ArgumentValue: value },
    });
  const [firstByte, lastByte] = [Number(found[1]), Number(found[2])];
  if (lastByte < firstByte || lastByte >= sizeBytes) throw outOf(value, sizeBytes);
  return { firstByte, lastByte };
}

function outOf(value: string, sizeBytes: number): S3Error {
  return new S3Error('InvalidRange', 'The object has no such range of bytes.', {
    details: { RangeRequested: value, ActualObjectSize: String(sizeBytes) },
    headers: { 'content-range': `bytes */${sizeBytes}` },
  });
}
