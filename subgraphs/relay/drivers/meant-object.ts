// How an object without a call's mark is recognised: by the sum of its settings. An object that a call made needs its mark.
import { createHash } from 'node:crypto';
import { canonicalJson } from '../../../platform/values/json.ts';
import type { JsonObject, MappedObject } from './driver.ts';
import { readMark } from './mark.ts';

/** The SHA-256 of its reader's values. Null is a setting that it does not have. */
export function sumOf(values: JsonObject): string {
  const set = Object.entries(values).filter(([, value]) => value !== undefined && value !== null);
  return createHash('sha256')
    .update(canonicalJson(Object.fromEntries(set)))
    .digest('hex');
}

export const settingsSha256 = {
  type: 'string',
  pattern: '^[0-9a-f]{64}$',
  description:
    'The SHA-256 sum of its settings, as the operation get shows it: only an object with these settings is changed. Default: the object must have the mark of a call, or be as it was when it was adopted',
} as const;

/** This argument for the object of a mapping: for an adopted one, which may have no mark. */
export function recognised({ madeBy, recorded }: MappedObject): { readonly settingsSha256?: string } {
  return madeBy !== undefined || recorded === undefined ? {} : { settingsSha256: sumOf(recorded) };
}

/** Whether the object that was found is the meant one. */
export function isMeant(args: JsonObject, comment: unknown, values: JsonObject): boolean {
  return args.settingsSha256 === undefined ? readMark(comment) !== undefined : args.settingsSha256 === sumOf(values);
}

/** What became of the meant object. */
export const notMeant =
  'what the device has there is not what was recorded: somebody else made it, or changed it. Nothing was sent: verify the mapping. To take over what is there now, forget the mapping and adopt it';
