// The names that may be published: host names (RFC 952, RFC 1123) and wildcards (RFC 4592) below a zone, with room for the fence's label
// before them.
import { quoted } from '../platform/errors/errors.ts';

/** Prefix of a name's fence: the TXT record that identifies the writer of the name's records. */
export const fenceLabel = '_tidegate';

/** RFC 1035 section 2.3.4: 255 octets with the lengths of the labels, 253 characters as text. */
const longestName = 253;
/** Leaves room for the fence's label. */
const longestOwnName = longestName - fenceLabel.length - 1;
const targetLabel = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;
const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * Error message for an invalid zone name, with the rule it breaks. Undefined if valid. The name is in lower case, without a final
 * dot.
 */
export function zoneFault(zone: string): string | undefined {
  if (zone.length > longestOwnName)
    return `the zone ${quoted(zone)} has ${zone.length} characters; at most ${longestOwnName} are allowed`;
  const wrong = zone.split('.').find((each) => !label.test(each));
  return wrong === undefined ? undefined : `${quoted(zone)} is not a zone: ${labelFault(wrong)}`;
}

/** Like `zoneFault`, for a name in a zone. Its first label may be `*`. */
export function nameFault(zone: string, name: string): string | undefined {
  if (!name.endsWith(`.${zone}`)) return `the name ${quoted(name)} is not below the zone ${quoted(zone)}`;
  if (name.length > longestOwnName)
    return `the name ${quoted(name)} has ${name.length} characters; at most ${longestOwnName} are allowed`;
  const wrong = name.split('.').find((each, index) => !label.test(each) && (each !== '*' || index > 0));
  return wrong === undefined ? undefined : `the name ${quoted(name)} is not a host name: ${labelFault(wrong)}`;
}

/** The same for the target of an alias, which may be outside the zone. Underscores are common there. */
export function targetFault(name: string): string | undefined {
  if (name.length > longestName)
    return `the target ${quoted(name)} has ${name.length} characters; at most ${longestName} are allowed`;
  const wrong = name.split('.').find((each) => !targetLabel.test(each));
  return wrong === undefined
    ? undefined
    : `the target ${quoted(name)} is not a name: ${quoted(wrong)} is not 1 to 63 lower-case letters, digits, underscores and inner hyphens`;
}

export function isWildcard(name: string): boolean {
  return name.startsWith('*.');
}

function labelFault(text: string): string {
  return `${quoted(text)} is not 1 to 63 lower-case letters, digits and inner hyphens`;
}
