// Conditional requests (RFC 9110, section 13) in S3's variant.

import type { Conditions } from '../namespace/namespace.ts';
import { type Call, header } from './call.ts';
import { notImplemented, S3Error } from './errors.ts';

const mostTags = 32;

/** Of a read; `source`: the conditions on what a copy reads. */
export function conditionsOf(call: Call, source: '' | 'x-amz-copy-source-' = ''): Conditions {
  const ifMatch = tagsIn(header(call, `${source}if-match`));
  const ifNoneMatch = tagsIn(header(call, `${source}if-none-match`));
  const ifModifiedSince = dateIn(header(call, `${source}if-modified-since`));
  const ifUnmodifiedSince = dateIn(header(call, `${source}if-unmodified-since`));
  return {
    ...(ifMatch === undefined ? {} : { ifMatch }),
    ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }),
    ...(ifModifiedSince === undefined ? {} : { ifModifiedSince }),
    ...(ifUnmodifiedSince === undefined ? {} : { ifUnmodifiedSince }),
  };
}

/** S3 writes on condition that there is no object, or exactly one. */
export function writeConditionsOf(call: Call): Conditions | undefined {
  const ifMatch = tagsIn(header(call, 'if-match'));
  const ifNoneMatch = tagsIn(header(call, 'if-none-match'));
  if (ifNoneMatch !== undefined && ifNoneMatch[0] !== '*')
    throw notImplemented('A write with If-None-Match other than *');
  if (ifMatch !== undefined && ifNoneMatch !== undefined)
    throw new S3Error('InvalidRequest', 'A write has If-Match or If-None-Match, not both.');
  if (ifMatch !== undefined) return { ifMatch };
  return ifNoneMatch === undefined ? undefined : { ifNoneMatch };
}

/** What an unchanged object is answered with: its entity tag, if the conditions leave no doubt which. */
export function notModified({ ifNoneMatch }: Conditions): S3Error {
  const [tag, ...others] = ifNoneMatch ?? [];
  const isKnown = tag !== undefined && tag !== '*' && others.length === 0;
  return new S3Error('NotModified', 'The object was not modified.', isKnown ? { headers: { etag: `"${tag}"` } } : {});
}

function tagsIn(value: string | undefined): string[] | undefined {
  if (value === undefined) return undefined;
  const tags = value.split(',', mostTags + 1).map(bareTag);
  if (tags.length > mostTags)
    throw new S3Error('InvalidArgument', `A condition names at most ${mostTags} entity tags.`);
  return tags;
}

/** Without quotes and the mark of a weak tag. */
export function bareTag(tag: string): string {
  return tag
    .trim()
    .replace(/^W\//, '')
    .replace(/^"(.*)"$/, '$1');
}

/** A date that is none is no condition. */
function dateIn(value: string | undefined): Date | undefined {
  if (value === undefined) return undefined;
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
