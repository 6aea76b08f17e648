// The port to a server that publishes names.
import type { AddressRecord, ZoneName } from '../records/record-set.ts';

/** What a server is to have for a name. */
export interface WantedName extends ZoneName {
  /** UUID of the database's zone. */
  readonly writer: string;
  readonly owner: string;
  readonly generation: number;
  /** Empty: the name is to have none. */
  readonly records: readonly AddressRecord[];
  readonly ttlSeconds: number;
  /** Those that it was last seen with: ours, although the fence beside them was lost. */
  readonly earlierRecords: readonly AddressRecord[];
  /** When this was read from the database, Unix milliseconds: the server takes it for a limited time after. */
  readonly readAtMs: number;
}

export type PublishResult =
  | { readonly state: 'PUBLISHED' }
  /** The server has a newer generation of the same writer. Nothing was changed. */
  | { readonly state: 'OVERTAKEN'; readonly generation: number };

export interface RecordServer {
  /** For messages. */
  readonly name: string;
  /** Changes what the server has, if it has something else, until it answers what is wanted. Throws DnsError. */
  publish(wanted: WantedName, signal: AbortSignal): Promise<PublishResult>;
  /** Whether the server answers exactly that. Throws DnsError. */
  has(wanted: WantedName, signal: AbortSignal): Promise<boolean>;
  /** Removes what is left of a name that is published without records. Throws DnsError. */
  forget(wanted: WantedName, signal: AbortSignal): Promise<void>;
}
