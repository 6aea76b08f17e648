// The requests to the replicas of a name, and their answers. A register belongs to a scope (the account of a container, or the container of
// an object). All registers of a scope share a partition.
import type { Answer, Refusal } from '../../../../platform/registers/registers.ts';
import type { Written } from '../../../../platform/registers/rules.ts';
import type { Version } from '../../../../platform/registers/version.ts';

export interface RegisterKey {
  /** 0 for the core ring, otherwise the option's number. */
  readonly ring: number;
  /** 32 hexadecimal digits. */
  readonly scope: string;
  /** UTF-8, 0 to 1,100 bytes. '' is the scope's gate. */
  readonly name: string;
}

export interface StoredValue {
  /** JSON of at most 16 KiB: everything that a listing shows. */
  readonly head: string;
  /** At most 1 MiB. */
  readonly body?: Buffer | undefined;
}

export type ReplicaRequest =
  | { readonly op: 'read'; readonly key: RegisterKey; readonly epoch: number }
  | { readonly op: 'promise'; readonly key: RegisterKey; readonly epoch: number; readonly ballot: Version }
  | {
      readonly op: 'accept';
      readonly key: RegisterKey;
      readonly epoch: number;
      readonly written: Written<StoredValue>;
    };

/** An answer to `accept` has only versions: the value is not needed. */
export type ReplicaAnswer = Answer<StoredValue>;

export interface ListRequest {
  readonly ring: number;
  readonly scope: string;
  readonly epoch: number;
  /** Exclusive, in order of UTF-8 bytes. */
  readonly after: string;
  readonly prefix: string;
  /** 1 to 1000. */
  readonly limit: number;
  /** Lists only while the gate is sealed with this version; otherwise refuses with CLOSED. */
  readonly sealed?: Version | undefined;
}

/** May be a deletion, which has no head, or only a promise, whose version is `noVersion`. */
export interface ListedRow {
  readonly name: string;
  readonly version: Version;
  readonly promised: Version;
  readonly head: string | undefined;
}

export interface Listed {
  readonly refused?: undefined;
  readonly rows: readonly ListedRow[];
  /** Nothing comes after these. */
  readonly isWhole: boolean;
  readonly floor: Version;
}

export type ListAnswer = Listed | Refusal;

export interface Replica {
  ask(request: ReplicaRequest): Promise<ReplicaAnswer>;
  list(request: ListRequest): Promise<ListAnswer>;
  /** Approximate response time. Infinite if unreachable now. Absent for a near replica. */
  distanceMs?(): number;
}
