// Multipart uploads.
import { TLSSocket } from 'node:tls';
import type { Checksums } from '../../namespace/namespace.ts';
import { readXmlBody, uploadOf } from '../body.ts';
import { type Call, header, sendEmpty, sendXml } from '../call.ts';
import { checksumElement, checksumHeaders } from '../checksums.ts';
import { bareTag, writeConditionsOf } from '../conditions.ts';
import { notImplemented, S3Error } from '../errors.ts';
import { objectHeadersOf } from '../object-headers.ts';
import { optionOf } from '../option.ts';
import { readXml } from '../read-xml.ts';
import { answerInTime } from '../slow-answer.ts';
import { element, text, xmlBody } from '../xml.ts';
import { integerOf, pageSizeOf, wrongArgument } from './arguments.ts';
import { owner } from './buckets.ts';
import { nameWriter } from './listings.ts';

const mostParts = 10_000;
const mostCompletionBytes = 4 * 1024 * 1024;

/** Throws S3Error NoSuchUpload if the text can't be an upload id. */
export function uploadIdOf({ s3Address }: Call): string {
  const uploadId = s3Address.query.get('uploadId') ?? '';
  if (!/^[0-9a-f]{32}$/.test(uploadId))
    throw new S3Error('NoSuchUpload', 'There is no such upload: it may have been completed or aborted.', {
      details: { UploadId: uploadId.slice(0, 1_024) },
    });
  return uploadId;
}

export function partOf(call: Call): number {
  const part = integerOf(call, 'partNumber', 0);
  if (part < 1 || part > mostParts)
    throw wrongArgument('partNumber', String(part), `must be an integer from 1 to ${mostParts}`);
  return part;
}

export async function createUpload(call: Call): Promise<void> {
  const { context, caller, s3Address } = call;
  const { bucket, key } = s3Address;
  const uploadId = await context.namespace.beginUpload(caller, bucket, key, objectHeadersOf(call), optionOf(call));
  const names = text('Bucket', s3Address.bucket) + text('Key', s3Address.key);
  await sendXml(call, xmlBody('InitiateMultipartUploadResult', names + text('UploadId', uploadId)));
}

export async function uploadPart(call: Call): Promise<void> {
  const { context, caller, s3Address } = call;
  const [uploadId, part] = [uploadIdOf(call), partOf(call)];
  const upload = uploadOf(call);
  const { etag } = await context.namespace.putPart(caller, s3Address.bucket, s3Address.key, uploadId, part, upload);
  await sendEmpty(call, 200, { etag: `"${etag}"`, ...upload.checksums });
}

export async function completeUpload(call: Call): Promise<void> {
  const { context, caller, s3Address } = call;
  const uploadId = uploadIdOf(call);
  const limits = { conditions: writeConditionsOf(call), sizeBytes: objectSizeOf(call) };
  const { Part: sent } = await readXmlBody(call, mostCompletionBytes, (body) =>
    readXml(body, 'CompleteMultipartUpload'),
  );
  const parts = sent.map(({ PartNumber, ETag, ...checksums }) => ({
    ...{ part: Number(PartNumber), etag: bareTag(ETag), checksums: checksumsOf(checksums) },
  }));
  for (const [at, { part }] of parts.entries()) {
    if (part < 1 || part > mostParts) throw new S3Error('InvalidPart', `There is no part ${part}.`);
    if (at > 0 && part <= (parts[at - 1]?.part ?? 0))
      throw new S3Error('InvalidPartOrder', 'The parts must be listed in ascending order, each once.');
  }
  await answerInTime(call, async () => {
    const { bucket, key } = s3Address;
    const { etag } = await context.namespace.completeUpload(caller, bucket, key, uploadId, parts, limits);
    const scheme = call.request.socket instanceof TLSSocket ? 'https' : 'http';
    const location = `${scheme}://${header(call, 'host') ?? ''}${s3Address.rawPath}`;
    return xmlBody(
      'CompleteMultipartUploadResult',
      text('Location', location) + text('Bucket', bucket) + text('Key', key) + text('ETag', `"${etag}"`),
    );
  });
}

/** The size of the whole object according to the client. */
function objectSizeOf(call: Call): number | undefined {
  const name = 'x-amz-mp-object-size';
  const value = header(call, name);
  if (value === undefined) return undefined;
  if (!/^\d{1,15}$/.test(value)) throw wrongArgument(name, value, 'must be a number of bytes');
  return Number(value);
}

function checksumsOf(elements: Readonly<Record<string, string | undefined>>): Checksums {
  const found = checksumHeaders.flatMap((name) => {
    const value = elements[checksumElement(name)];
    return value === undefined ? [] : [[name, value.trim()] as const];
  });
  return Object.fromEntries(found);
}

export async function abortUpload(call: Call): Promise<void> {
  const { context, caller, s3Address } = call;
  await context.namespace.abortUpload(caller, s3Address.bucket, s3Address.key, uploadIdOf(call));
  await sendEmpty(call, 204);
}

export async function listParts(call: Call): Promise<void> {
  const { context, caller, s3Address } = call;
  const uploadId = uploadIdOf(call);
  const after = integerOf(call, 'part-number-marker', 0);
  const limit = Math.max(pageSizeOf(call, 'max-parts'), 1);
  const found = await context.namespace.listParts(caller, s3Address.bucket, s3Address.key, uploadId, after, limit);
  const parts = found.parts.map(({ part, etag, sizeBytes, modifiedAt }) =>
    element(
      'Part',
      text('PartNumber', part) +
        text('LastModified', modifiedAt.toISOString()) +
        text('ETag', `"${etag}"`) +
        text('Size', sizeBytes),
    ),
  );
  await sendXml(
    call,
    xmlBody(
      'ListPartsResult',
      text('Bucket', s3Address.bucket) +
        nameWriter(call)('Key', s3Address.key) +
        text('UploadId', uploadId) +
        owner(call, 'Initiator') +
        owner(call) +
        text('StorageClass', 'STANDARD') +
        text('PartNumberMarker', after) +
        (found.isTruncated ? text('NextPartNumberMarker', found.parts.at(-1)?.part ?? after) : '') +
        text('MaxParts', limit) +
        text('IsTruncated', found.isTruncated) +
        parts.join(''),
    ),
  );
}

export async function listUploads(call: Call): Promise<void> {
  const { context, caller, s3Address } = call;
  const { query } = s3Address;
  const prefix = query.get('prefix') ?? '';
  const afterName = query.get('key-marker') ?? '';
  const afterId = query.get('upload-id-marker') ?? '';
  if (query.get('delimiter')) throw notImplemented('A listing of uploads with a delimiter');
  const name = nameWriter(call);
  const limit = Math.max(pageSizeOf(call, 'max-uploads'), 1);
  const found = await context.namespace.listUploads(caller, s3Address.bucket, { prefix, afterName, afterId, limit });
  const uploads = found.uploads.map((upload) =>
    element(
      'Upload',
      name('Key', upload.name) +
        text('UploadId', upload.uploadId) +
        owner(call, 'Initiator') +
        owner(call) +
        text('StorageClass', 'STANDARD') +
        text('Initiated', upload.startedAt.toISOString()),
    ),
  );
  const last = found.uploads.at(-1);
  const next =
    !found.isTruncated || last === undefined
      ? ''
      : name('NextKeyMarker', last.name) + text('NextUploadIdMarker', last.uploadId);
  await sendXml(
    call,
    xmlBody(
      'ListMultipartUploadsResult',
      text('Bucket', s3Address.bucket) +
        name('KeyMarker', afterName) +
        text('UploadIdMarker', afterId) +
        next +
        name('Prefix', prefix) +
        (name === text ? '' : text('EncodingType', 'url')) +
        text('MaxUploads', limit) +
        text('IsTruncated', found.isTruncated) +
        uploads.join(''),
    ),
  );
}
