// Listings of a bucket: both versions of ListObjects, and ListObjectVersions, which lists each object once.

import { uriEncode } from '../../../rules/sigv4/canonical.ts';
import type { Listing, ObjectStat } from '../../namespace/namespace.ts';
import { type Call, sendXml } from '../call.ts';
import { element, text, xmlBody } from '../xml.ts';
import { pageSizeOf, wrongArgument } from './arguments.ts';
import { owner } from './buckets.ts';

interface Asked {
  readonly prefix: string;
  readonly delimiter: string;
  readonly limit: number;
  readonly after: string;
  /** Writes a name: percent-encoded if the client asked for it. */
  readonly name: (element: string, value: string) => string;
}

export async function listObjects(call: Call): Promise<void> {
  const marker = call.s3Address.query.get('marker') ?? '';
  const asked = askedOf(call, marker);
  const page = await pageOf(call, asked);
  const { name } = asked;
  await sendXml(
    call,
    xmlBody(
      'ListBucketResult',
      commonOf(call, asked, page) +
        name('Marker', marker) +
        (page.isTruncated ? name('NextMarker', page.next) : '') +
        contentsOf(page, asked, owner(call)),
    ),
  );
}

export async function listObjectsV2(call: Call): Promise<void> {
  const { query } = call.s3Address;
  const token = query.get('continuation-token');
  const startAfter = query.get('start-after');
  const asked = askedOf(call, token === undefined ? (startAfter ?? '') : positionIn(token));
  const page = await pageOf(call, asked);
  await sendXml(
    call,
    xmlBody(
      'ListBucketResult',
      commonOf(call, asked, page) +
        text('KeyCount', page.objects.length + page.prefixes.length) +
        (token === undefined ? '' : text('ContinuationToken', token)) +
        (startAfter === undefined ? '' : asked.name('StartAfter', startAfter)) +
        (page.isTruncated ? text('NextContinuationToken', Buffer.from(page.next).toString('base64url')) : '') +
        contentsOf(page, asked, query.get('fetch-owner') === 'true' ? owner(call) : ''),
    ),
  );
}

export async function listVersions(call: Call): Promise<void> {
  const { query } = call.s3Address;
  const marker = query.get('key-marker') ?? '';
  const asked = askedOf(call, marker);
  const page = await pageOf(call, asked);
  const { name } = asked;
  const versions = page.objects.map((stat) =>
    element(
      'Version',
      name('Key', stat.name) + text('VersionId', 'null') + text('IsLatest', true) + entryOf(stat, owner(call)),
    ),
  );
  const next = page.isTruncated ? name('NextKeyMarker', page.next) + text('NextVersionIdMarker', 'null') : '';
  await sendXml(
    call,
    xmlBody(
      'ListVersionsResult',
      commonOf(call, asked, page) +
        name('KeyMarker', marker) +
        text('VersionIdMarker', query.get('version-id-marker') ?? '') +
        next +
        versions.join('') +
        prefixesOf(page, asked),
    ),
  );
}

function askedOf(call: Call, after: string): Asked {
  const { query } = call.s3Address;
  return {
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    limit: pageSizeOf(call, 'max-keys'),
    after,
    name: nameWriter(call),
  };
}

export function nameWriter({ s3Address }: Call): Asked['name'] {
  const encoding = s3Address.query.get('encoding-type');
  if (encoding === undefined || encoding === '') return text;
  if (encoding !== 'url') throw wrongArgument('encoding-type', encoding, 'must be url');
  return (name, value) => text(name, value.split('/').map(uriEncode).join('/'));
}

function pageOf({ context, caller, s3Address }: Call, { prefix, delimiter, after, limit }: Asked): Promise<Listing> {
  return context.namespace.list(caller, s3Address.bucket, { prefix, delimiter, after, limit });
}

function positionIn(token: string): string {
  const position = Buffer.from(token, 'base64url');
  if (position.toString('base64url') !== token)
    throw wrongArgument('continuation-token', token, 'is not from a listing');
  return position.toString();
}

function commonOf({ s3Address }: Call, { prefix, delimiter, limit, name }: Asked, page: Listing): string {
  return (
    text('Name', s3Address.bucket) +
    name('Prefix', prefix) +
    (delimiter === '' ? '' : name('Delimiter', delimiter)) +
    text('MaxKeys', limit) +
    (name === text ? '' : text('EncodingType', 'url')) +
    text('IsTruncated', page.isTruncated)
  );
}

function contentsOf(page: Listing, asked: Asked, ownerXml: string): string {
  const contents = page.objects.map((stat) =>
    element('Contents', asked.name('Key', stat.name) + entryOf(stat, ownerXml)),
  );
  return contents.join('') + prefixesOf(page, asked);
}

function entryOf(stat: ObjectStat, ownerXml: string): string {
  return (
    text('LastModified', stat.modifiedAt.toISOString()) +
    text('ETag', `"${stat.etag}"`) +
    text('Size', stat.sizeBytes) +
    ownerXml +
    text('StorageClass', 'STANDARD')
  );
}

function prefixesOf(page: Listing, { name }: Asked): string {
  return page.prefixes.map((prefix) => element('CommonPrefixes', name('Prefix', prefix))).join('');
}
