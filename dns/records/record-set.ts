// The desired records of a name, and the records that the servers have.

/** Canonical text: IPv4, or IPv6 as in RFC 5952. */
export interface AddressRecord {
  readonly type: 'A' | 'AAAA';
  readonly value: string;
}

/** The target of a CNAME: lower case, without a final dot. The name must have no other records. */
interface AliasRecord {
  readonly type: 'CNAME';
  readonly value: string;
}

export type NameRecord = AddressRecord | AliasRecord;
export type RecordType = NameRecord['type'];

/** All types that are ever written at a name. Its fence is a TXT record. */
export const recordTypes = ['A', 'AAAA', 'CNAME'] as const satisfies readonly RecordType[];

/** A name in a zone, both in lower case and without a final dot. */
export interface ZoneName {
  readonly zone: string;
  readonly name: string;
}

/** Work (platform/owed/owed-work.ts) that is owed whenever the published records, or the reason for their absence, change. */
export interface FollowUp {
  readonly kind: string;
  readonly key: string;
}

export interface RecordSet extends ZoneName {
  readonly id: string;
  readonly owner: string;
  readonly records: readonly NameRecord[];
  readonly ttlSeconds: number;
  /** Increases with each change. 0 if the name is reserved and never had records. */
  readonly generation: number;
  readonly withdrawn: boolean;
  /** The newest generation that all servers have answered, its records, and when they first did. */
  readonly publishedGeneration: number;
  readonly publishedRecords: readonly NameRecord[];
  readonly publishedAt: Date | null;
  /** Newest generation that all servers have answered. Servers that failed are excluded: they receive it when they return. */
  readonly answeredGeneration: number;
  /** Error of the last attempt. Null if it succeeded. */
  readonly error: RecordSetError | null;
  readonly followUp: FollowUp | null;
}

interface RecordSetError {
  /** A DnsErrorCode, for example NAME_TAKEN_BY_OTHERS or TIMED_OUT. */
  readonly code: string;
  readonly message: string;
  readonly since: Date;
}

/** Whether all servers answer the desired records. */
export function isPublished({ generation, publishedGeneration }: RecordSet): boolean {
  return publishedGeneration >= generation;
}

/** Whether all servers that have not failed answer the desired records. */
export function isAnswered({ generation, answeredGeneration }: RecordSet): boolean {
  return answeredGeneration >= generation;
}

/** Sorted and without repetition, so that equal sets have equal text. */
export function sortedRecords(records: readonly NameRecord[]): readonly NameRecord[] {
  const byText = new Map(records.map(({ type, value }) => [`${type} ${value}`, { type, value } as NameRecord]));
  return [...byText].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, record]) => record);
}
