// The kinds of backends, and what each can express. What one can't is refused, never approximated.
import { isWildcard } from '../names.ts';
import { type NameRecord, type RecordType, recordTypes, type ZoneName } from './record-set.ts';

export const backendTypes = ['ANSWERER', 'POWERDNS', 'RFC2136', 'DESIGNATE'] as const;
export type BackendType = (typeof backendTypes)[number];

export interface Capabilities {
  /** Records that are the same for every client. Empty: the backend takes plans (dns/policy), no records. */
  readonly records: readonly RecordType[];
  readonly wildcards: boolean;
  /** Plans: answers that depend on the client. */
  readonly policies: boolean;
  /**
   * Who refuses a late writer. SERVER: the fence is a condition of each update. WRITER: the API has no conditions, so a change is sent only
   * while the claim on its name is valid, right after the fence was read.
   */
  readonly fence: 'SERVER' | 'WRITER';
  /** It makes and deletes zones itself; else somebody has made them. */
  readonly makesZones: boolean;
  /** It signs zones when told to. */
  readonly signsZones: boolean;
}

const plain = { records: recordTypes, wildcards: true, policies: false } as const;

export const capabilities: Readonly<Record<BackendType, Capabilities>> = {
  ANSWERER: { records: [], wildcards: true, policies: true, fence: 'SERVER', makesZones: true, signsZones: true },
  POWERDNS: { ...plain, fence: 'WRITER', makesZones: true, signsZones: true },
  RFC2136: { ...plain, fence: 'SERVER', makesZones: false, signsZones: false },
  DESIGNATE: { ...plain, fence: 'WRITER', makesZones: true, signsZones: false },
};

/** What of these records a backend can't express; undefined: nothing. */
export function unsupported(
  type: BackendType,
  { name, records }: ZoneName & { readonly records: readonly NameRecord[] },
): string | undefined {
  const able = capabilities[type];
  if (able.records.length === 0)
    return `a backend of type ${type} takes names with policies, no records: give ${name} a zone at a backend of another type`;
  if (isWildcard(name) && !able.wildcards) return `a backend of type ${type} has no wildcards: ${name} is one`;
  const wrong = records.find((each) => !able.records.includes(each.type));
  return wrong === undefined
    ? undefined
    : `a backend of type ${type} takes no records of type ${wrong.type}: ${name} has one`;
}
