// Whether what a file wants is what there is. Pure.

import { canonicalAddressBlock } from '../../platform/net/address-block.ts';
import { canonicalJson, isObject, type JsonObject, type JsonValue } from '../../platform/values/json.ts';
import type { Change } from './step.ts';

/** Differences in the wanted fields. Fields that the file leaves out keep their values. */
export function differences(wanted: JsonObject, here: JsonObject): Change[] {
  return Object.entries(wanted)
    .filter(([field, value]) => value !== undefined && !isAsWanted(value, here[field]))
    .map(([field, to]) => ({ field, from: here[field] ?? null, to }));
}

/** Only the wanted members of an object count, and texts may have other notations. */
function isAsWanted(wanted: JsonValue, here: JsonValue | undefined): boolean {
  if (typeof wanted === 'string' && typeof here === 'string') return canonicalText(wanted) === canonicalText(here);
  if (Array.isArray(wanted) && Array.isArray(here))
    return wanted.length === here.length && wanted.every((each: JsonValue, at) => isAsWanted(each, here[at]));
  if (isObject(wanted) && isObject(here))
    return Object.entries(wanted).every(([name, value]) => isAsWanted(value ?? null, here[name]));
  // An empty text or list also counts as nothing.
  if (isNothing(wanted) && isNothing(here ?? null)) return true;
  return canonicalJson(wanted) === canonicalJson(here ?? null);
}

function isNothing(value: JsonValue): boolean {
  return value === null || value === '' || (Array.isArray(value) && value.length === 0);
}

/** Normalises the notation of addresses, and removes white space from PEM, because the server rewrites certificates. */
function canonicalText(text: string): string {
  const trimmed = text.trim().replaceAll('\r\n', '\n');
  if (trimmed.startsWith('-----BEGIN ')) return trimmed.replaceAll(/\s+/g, '');
  return trimmed.length > 64 ? trimmed : (canonicalAddressBlock(trimmed) ?? trimmed);
}
