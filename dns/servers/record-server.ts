// The port to a server that publishes names.
import type { NameRecord, ZoneName } from '../records/record-set.ts';
import type { TsigKey } from '../wire/tsig.ts';

/** Desired records of a name. */
export interface WantedName extends ZoneName {
  /** UUID of the database's zone. */
  readonly writer: string;
  readonly owner: string;
  readonly generation: number;
  /** Empty if the name should have no records. */
  readonly records: readonly NameRecord[];
  readonly ttlSeconds: number;
  /** The records last seen at the server. They are ours even if the fence is lost. */
  readonly earlierRecords: readonly NameRecord[];
  /** When this was read from the database, in Unix milliseconds. The server accepts it for a limited time. */
  readonly readAtMs: number;
  /**
   * Whether it is certain that no other process publishes the name. Called right before a change that the server itself does not fence. Default: yes.
   */
  readonly isHeld?: () => boolean;
}

export type PublishResult =
  | { readonly state: 'PUBLISHED' }
  /** The server has a newer generation of the same writer. Nothing was changed. */
  | { readonly state: 'OVERTAKEN'; readonly generation: number };

export interface RecordServer {
  /** ADDRESS:PORT or URL, used in messages and as the key of the server's state. */
  readonly name: string;
  /**
   * Whether the server itself refuses late writers. Otherwise the change of a crashed process may arrive after the change of the
   * next one.
   */
  readonly refusesLate: boolean;
  /** Throws DnsError unless it answers and has the zone. */
  check(zone: string, signal: AbortSignal): Promise<void>;
  /** Changes the server's records if they differ, and waits until it answers as desired. Throws DnsError. */
  publish(wanted: WantedName, signal: AbortSignal): Promise<PublishResult>;
  /** Whether the server answers exactly that. Throws DnsError. */
  has(wanted: WantedName, signal: AbortSignal): Promise<boolean>;
  /** Removes the remains of a name that is published without records. Throws DnsError. */
  forget(wanted: WantedName, signal: AbortSignal): Promise<void>;
  /** Ends its connections. */
  close?(): Promise<void>;
}

/** Desired state of a zone on a server. */
export interface ZoneWish {
  readonly zone: string;
  /** Its NS records. */
  readonly nameServers: readonly string[];
  readonly isSigned: boolean;
  /** ADDRESS:PORT of the secondaries, which are notified of changes and transfer the zone. */
  readonly secondaries: readonly string[];
  /** Key with which secondaries transfer it. Undefined for the server's own rules. */
  readonly transferKey: TsigKey | undefined;
}

/** A server that makes zones itself. */
export interface ZoneServer {
  /** Creates the zone, or updates its settings. Its records stay. Throws DnsError. */
  ensureZone(wish: ZoneWish, signal: AbortSignal): Promise<void>;
  /** The DS records for the parent zone, as text. Empty if the zone is not signed. Throws DnsError. */
  delegationSigners(zone: string, signal: AbortSignal): Promise<readonly string[]>;
}
