// Objects: PUT, GET, HEAD and DELETE.
import { once } from 'node:events';
import { ObjectError } from '../../../wire/object-error.ts';
import { giveBack } from '../../blobs/block-buffers.ts';
import type { Conditions, Got } from '../../namespace/namespace.ts';
import { readXmlBody, uploadOf } from '../body.ts';
import { type Call, type Headers, header, sendEmpty, sendXml } from '../call.ts';
import { bareTag, conditionsOf, notModified, writeConditionsOf } from '../conditions.ts';
import { notImplemented, s3ErrorOf } from '../errors.ts';
import { ageHeaderOf, getNearest, wantsNearest } from '../nearest.ts';
import { headersOf, objectHeadersOf, overridesOf } from '../object-headers.ts';
import { optionOf } from '../option.ts';
import { rangeIn } from '../ranges.ts';
import { readXml } from '../read-xml.ts';
import { checkKey } from '../s3-address.ts';
import { element, text, xmlBody } from '../xml.ts';
import { checkVersion } from './arguments.ts';

const mostDeletionBytes = 4 * 1024 * 1024;
const deletionsAtOnce = 16;

export async function putObject(call: Call): Promise<void> {
  const { context, caller, s3Address } = call;
  const upload = uploadOf(call);
  const { etag } = await context.namespace.put(
    caller,
    s3Address.bucket,
    s3Address.key,
    { ...upload, ...optionOf(call) },
    objectHeadersOf(call),
    writeConditionsOf(call),
  );
  await sendEmpty(call, 200, { etag: `"${etag}"`, ...upload.checksums });
}

export async function headObject(call: Call): Promise<void> {
  const { context, caller, s3Address } = call;
  refuseParts(call);
  const conditions = conditionsOf(call);
  const nearest = wantsNearest(call) ? await unlessUnmodified(conditions, getNearest(call, { conditions })) : undefined;
  const stat =
    nearest?.stat ??
    (await unlessUnmodified(conditions, context.namespace.stat(caller, s3Address.bucket, s3Address.key, conditions)));
  const range = rangeOf(call)?.(stat.sizeBytes);
  const { status, headers } = headOf(call, range === undefined ? { stat } : { stat, range });
  call.response.writeHead(status, { ...headers, ...(nearest && ageHeaderOf(nearest)) }).end();
}

export async function getObject(call: Call): Promise<void> {
  const { context, caller, s3Address, response } = call;
  refuseParts(call);
  const conditions = conditionsOf(call);
  const options = { conditions, range: rangeOf(call) };
  const nearest = wantsNearest(call) ? await unlessUnmodified(conditions, getNearest(call, options)) : undefined;
  const read =
    nearest ??
    (await unlessUnmodified(conditions, context.namespace.get(caller, s3Address.bucket, s3Address.key, options)));
  const { status, headers } = headOf(call, read);
  const pieces = read.body[Symbol.asyncIterator]();
  try {
    // Read before the head is sent: an object that can't be read at all is refused normally.
    let next = await pieces.next();
    response.writeHead(status, { ...headers, ...(nearest && ageHeaderOf(nearest)) });
    while (next.done !== true) {
      const { value } = next;
      const isTaken = response.write(value, (error) => {
        if (!error) giveBack(value);
      });
      if (!isTaken) await drained(call, value.length);
      next = await pieces.next();
    }
    response.end();
  } finally {
    await pieces.return?.();
  }
}

async function unlessUnmodified<Result>(conditions: Conditions, work: Promise<Result>): Promise<Result> {
  return work.catch((error: unknown) => {
    throw error instanceof ObjectError && error.code === 'NOT_MODIFIED' ? notModified(conditions) : error;
  });
}

/** Throws if the client is gone, or is cut off because it reads too slowly. */
async function drained({ response, context }: Call, bytes: number): Promise<void> {
  const transfer = context.pace.watch(() => response.destroy());
  const gone = new AbortController();
  const onClose = () => gone.abort();
  response.once('close', onClose);
  try {
    if (response.destroyed) gone.abort();
    transfer.wait(bytes);
    await once(response, 'drain', { signal: gone.signal });
  } finally {
    response.off('close', onClose);
    transfer.end();
  }
}

/**
 * A client with If-Range already has a part. It gets the whole object, which is always correct: the condition is evaluated too late for a
 * partial answer.
 */
function rangeOf(call: Call): ((sizeBytes: number) => Got['range']) | undefined {
  const value = header(call, 'range');
  if (value === undefined || header(call, 'if-range') !== undefined) return undefined;
  return (sizeBytes) => rangeIn(value, sizeBytes);
}

function headOf(
  call: Call,
  { stat, range }: Pick<Got, 'stat' | 'range'>,
): { readonly status: number; readonly headers: Headers } {
  const headers = { ...headersOf(stat), ...overridesOf(call) };
  if (range === undefined) return { status: 200, headers: { ...headers, 'content-length': stat.sizeBytes } };
  const { firstByte, lastByte } = range;
  return {
    status: 206,
    headers: {
      ...headers,
      'content-length': lastByte - firstByte + 1,
      'content-range': `bytes ${firstByte}-${lastByte}/${stat.sizeBytes}`,
    },
  };
}

function refuseParts({ s3Address }: Call): void {
  if (s3Address.query.has('partNumber')) throw notImplemented('Reading a part of an object by its number');
}

export async function deleteObject(call: Call): Promise<void> {
  const { context, caller, s3Address } = call;
  await context.namespace.delete(caller, s3Address.bucket, s3Address.key, writeConditionsOf(call));
  await sendEmpty(call, 204);
}

export async function deleteObjects(call: Call): Promise<void> {
  const { context, caller, s3Address } = call;
  const { Object: wanted, Quiet: isQuiet } = await readXmlBody(call, mostDeletionBytes, (body) =>
    readXml(body, 'Delete'),
  );
  await context.namespace.statContainer(caller, s3Address.bucket);
  const results: string[] = [];
  const remaining = wanted.entries();
  const work = async (): Promise<void> => {
    for (const [at, { Key: key, VersionId: versionId, ETag: etag }] of remaining) {
      const named = text('Key', key) + (versionId === undefined ? '' : text('VersionId', versionId));
      try {
        checkKey(key);
        checkVersion(versionId);
        const conditions = etag === undefined ? undefined : { ifMatch: [bareTag(etag)] };
        await context.namespace.delete(caller, s3Address.bucket, key, conditions);
        results[at] = isQuiet === true ? '' : element('Deleted', named);
      } catch (error) {
        const refusal = s3ErrorOf(error);
        if (refusal === undefined) throw error;
        results[at] = element('Error', named + text('Code', refusal.code) + text('Message', refusal.message));
      }
    }
  };
  await Promise.all(Array.from({ length: deletionsAtOnce }, work));
  await sendXml(call, xmlBody('DeleteResult', results.join('')));
}
