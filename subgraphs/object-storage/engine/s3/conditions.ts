// Conditional requests (RFC 9110, section 13) in S3's variant.

import { readTime } from '../../../../platform/values/calendar-time.ts';
import type { Conditions } from '../namespace/namespace.ts';
import { type Call, header } from './call.ts';
import { notImplemented, S3Error } from './errors.ts';

const mostTags = 32;

/** Conditions of a read. `source`: prefix for the conditions on a copy's source. */
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

/** S3 allows two conditions on a write: that there is no object, or exactly one with an entity tag. */
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

/** The answer for an unchanged object: has its entity tag if the conditions name only one. */
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

/** Without the quotes and the mark of a weak tag. */
export function bareTag(tag: string): string {
  return tag
    .trim()
    .replace(/^W\//, '')
    .replace(/^"(.*)"$/, '$1');
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** An HTTP date (RFC 9110, section 5.6.7: IMF-fixdate), or an RFC 3339 time. Anything else is refused: ignoring it would let every request pass. */
function dateIn(value: string | undefined): Date | undefined {
  if (value === undefined) return undefined;
  const [, day, month = '', year, time] = /^\w{3}, (\d{2}) (\w{3}) (\d{4}) (\d{2}:\d{2}:\d{2}) GMT$/.exec(value) ?? [];
  const number = String(months.indexOf(month) + 1).padStart(2, '0');
  const date = readTime(day === undefined ? value : `${year}-${number}-${day}T${time}Z`);
  if (date === undefined)
    throw new S3Error('InvalidArgument', 'The date of a condition has the form Sun, 06 Nov 1994 08:49:37 GMT.');
  return date;
}
