// Copies of whole objects, and of objects into parts of a multipart upload.

import { ObjectError } from '../../../wire/object-error.ts';
import type { CopySource } from '../../namespace/namespace.ts';
import { type Call, header } from '../call.ts';
import { conditionsOf, writeConditionsOf } from '../conditions.ts';
import { S3Error } from '../errors.ts';
import { objectHeadersOf } from '../object-headers.ts';
import { optionHeader, optionOf } from '../option.ts';
import { exactRange } from '../ranges.ts';
import { checkBucketName, checkKey, decoded } from '../s3-address.ts';
import { answerInTime } from '../slow-answer.ts';
import { text, xmlBody } from '../xml.ts';
import { checkVersion } from './arguments.ts';
import { partOf, uploadIdOf } from './multipart.ts';

export async function copyObject(call: Call): Promise<void> {
  const { context, caller, s3Address } = call;
  const from = sourceOf(call);
  const replaces = directiveOf(call) === 'REPLACE';
  const wish = optionOf(call);
  if (!replaces && wish.option === undefined && from.container === s3Address.bucket && from.name === s3Address.key)
    throw new S3Error(
      'InvalidRequest',
      `An object can be copied to itself only with other headers or another option: send x-amz-metadata-directive: REPLACE, or ${optionHeader}.`,
    );
  const headers = replaces ? objectHeadersOf(call) : 'KEEP';
  const conditions = writeConditionsOf(call);
  await answerInTime(call, async () => {
    const { etag, modifiedAt } = await context.namespace.copy(
      caller,
      { ...from, conditions: conditionsOf(call, 'x-amz-copy-source-') },
      { container: s3Address.bucket, name: s3Address.key, ...wish },
      headers,
      conditions,
    );
    return resultXml('CopyObjectResult', etag, modifiedAt);
  });
}

export async function uploadPartCopy(call: Call): Promise<void> {
  const { context, caller, s3Address } = call;
  const from = sourceOf(call);
  const conditions = conditionsOf(call, 'x-amz-copy-source-');
  const range = header(call, 'x-amz-copy-source-range');
  const [uploadId, part] = [uploadIdOf(call), partOf(call)];
  await answerInTime(call, async () => {
    const got = await context.namespace
      .get(caller, from.container, from.name, {
        conditions,
        range: range === undefined ? undefined : (sizeBytes) => exactRange(range, sizeBytes),
      })
      .catch(asCopy);
    const sizeBytes = got.range === undefined ? got.stat.sizeBytes : got.range.lastByte - got.range.firstByte + 1;
    const upload = { sizeBytes, body: got.body };
    const { etag, modifiedAt } = await context.namespace.putPart(
      caller,
      s3Address.bucket,
      s3Address.key,
      uploadId,
      part,
      upload,
    );
    return resultXml('CopyPartResult', etag, modifiedAt);
  });
}

/** For a copy, NOT_MODIFIED means that its condition does not hold. */
function asCopy(error: unknown): never {
  if (error instanceof ObjectError && error.code === 'NOT_MODIFIED')
    throw new ObjectError('PRECONDITION_FAILED', 'The condition on the source does not hold.');
  throw error;
}

function resultXml(root: string, etag: string, modifiedAt: Date): string {
  return xmlBody(root, text('LastModified', modifiedAt.toISOString()) + text('ETag', `"${etag}"`));
}

/** x-amz-copy-source: /bucket/key, percent-encoded, with ?versionId=null if need be. */
function sourceOf(call: Call): CopySource {
  const value = header(call, 'x-amz-copy-source') ?? '';
  const [path = '', version] = value.split('?versionId=', 2);
  checkVersion(version);
  const source = decoded(path).replace(/^\//, '');
  const slash = source.indexOf('/');
  const [container, name] = [source.slice(0, Math.max(slash, 0)), source.slice(slash + 1)];
  if (container === '' || name === '' || !isAscii(value))
    throw new S3Error('InvalidArgument', 'x-amz-copy-source has the form /bucket/key, percent-encoded.', {
      details: { ArgumentName: 'x-amz-copy-source', ArgumentValue: value },
    });
  checkBucketName(container);
  checkKey(name);
  return { container, name };
}

/** Node decodes each byte of a header as one character: a name that is not percent-encoded would become another one. */
function isAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

function directiveOf(call: Call): 'COPY' | 'REPLACE' {
  const value = header(call, 'x-amz-metadata-directive') ?? 'COPY';
  if (value !== 'COPY' && value !== 'REPLACE')
    throw new S3Error('InvalidArgument', 'x-amz-metadata-directive is COPY or REPLACE.');
  return value;
}
