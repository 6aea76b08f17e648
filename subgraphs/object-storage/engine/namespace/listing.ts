// Lists a container's objects in byte order of their names. With a delimiter, names with a common prefix are grouped.
import type { Container } from './containers.ts';
import { compareNames, type Names } from './names.ts';
import type { Listing, ListQuery, ObjectStat } from './namespace.ts';
import { afterHidden, statOf } from './values.ts';

/** Sorts after all names with this prefix. */
const endOf = (prefix: string) => `${prefix}\u{10ffff}`;
const rowsAtLeast = 100;
const mostRows = 1000;

export async function listObjects(
  names: Names,
  { ring, id }: Pick<Container, 'ring' | 'id'>,
  { prefix, delimiter, after, limit }: ListQuery,
): Promise<Listing> {
  const objects: ObjectStat[] = [];
  const prefixes: string[] = [];
  // A caller that continues after a common prefix has seen all of it.
  const isAfterPrefix =
    delimiter !== '' && after.startsWith(prefix) && after.length > prefix.length && after.endsWith(delimiter);
  let next = after;
  let position = laterName(isAfterPrefix ? endOf(after) : after, afterHidden);
  let common: string | undefined;
  for (;;) {
    const room = limit - objects.length - prefixes.length;
    const rowLimit = Math.min(mostRows, Math.max(rowsAtLeast, room + 1));
    const page = await names.page({ ring, scope: id, prefix, after: position, limit: rowLimit });
    for (const { name, version, head } of page.rows) {
      if (common !== undefined && name.startsWith(common)) continue;
      if (objects.length + prefixes.length >= limit) return { objects, prefixes, isTruncated: limit > 0, next };
      const end = delimiter === '' ? -1 : name.indexOf(delimiter, prefix.length);
      if (end < 0) {
        objects.push(statOf(name, version, { head }));
        next = name;
        continue;
      }
      common = name.slice(0, end + delimiter.length);
      prefixes.push(common);
      next = endOf(common);
    }
    if (page.next === undefined) return { objects, prefixes, isTruncated: false, next };
    position = common === undefined ? page.next : laterName(page.next, endOf(common));
  }
}

function laterName(one: string, other: string): string {
  return compareNames(one, other) >= 0 ? one : other;
}
