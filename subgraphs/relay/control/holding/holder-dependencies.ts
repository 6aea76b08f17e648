// The dependencies of a holder, and the types shared by its modules.
import type { Database } from '../../../../platform/database/database.ts';
import type { HeldLease, Leases } from '../../../../platform/leases/leases.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import type { EgressPolicy } from '../../../../platform/net/egress.ts';
import type { ReserveFailure } from '../../../../platform/net/send.ts';
import type { Sealer } from '../../../../platform/secrets/seal.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import type { Driver, TransportKind } from '../../drivers/driver.ts';
import type { TransportFactory } from '../../transports/session.ts';
import type { WiresSlot } from '../../transports/wires.ts';
import type { BackendRow } from '../backends/backend.ts';
import type { Journal } from '../journal/journal.ts';
import type { VerdictRecorder } from '../journal/verdict-recorder.ts';
import type { AcceptedCall, OperationMark, SentMark } from '../model/operation.ts';
import type { SecretArguments } from '../model/secret-arguments.ts';
import type { RelaySettings } from '../settings.ts';
import type { CallMetrics } from './call-metrics.ts';
import type { CallEnd, Completions } from './completions.ts';

export interface HolderDependencies {
  readonly db: Database;
  readonly leases: Leases;
  /** UUID of this incarnation of the process. */
  readonly owner: string;
  readonly wake: Wake;
  readonly journal: Journal;
  readonly recorder: VerdictRecorder;
  readonly completions: Completions;
  readonly metrics: CallMetrics;
  readonly sealer: Sealer;
  readonly opener: SecretArguments;
  readonly drivers: ReadonlyMap<string, Driver>;
  readonly transports: TransportFactory;
  readonly egress: EgressPolicy;
  readonly settings: RelaySettings;
  readonly log: Logger;
}

/** A free slot, and the right to call on one object. It must be launched or given back. */
export interface Ticket {
  readonly slot: WiresSlot;
  readonly objectHash: string;
  readonly lease: HeldLease;
}

/** A call journaled as SENT, with the commit acknowledged. */
export interface Launch {
  readonly call: AcceptedCall;
  readonly mark: SentMark;
  /** performance.now() before the SENT transaction. */
  readonly windowFromMs: number;
}

/** The queue's view of its owner, the holder. */
export interface QueueOwner {
  readonly id: string;
  /** The backend as last read. */
  readonly row: BackendRow;
  readonly driver: Driver;
  /** If false, nothing more is sent. */
  readonly live: boolean;
  refresh(row: BackendRow): Promise<void>;
  isBusy(objectHash: string): boolean;
  reserve(kind: TransportKind): Promise<WiresSlot | ReserveFailure | undefined>;
  take(slot: WiresSlot, objectHash: string): Ticket;
  drop(ticket: Ticket): void;
  launch(launch: Launch, ticket: Ticket): Promise<CallEnd>;
  uncertain(call: AcceptedCall, mark: OperationMark, ticket: Ticket): void;
}
