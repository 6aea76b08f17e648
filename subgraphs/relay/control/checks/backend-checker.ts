// Health checks of backends, for the check engine: the targets, one check (connect, log in, read version and serial), and
// recording the results. A check never logs in again after a refused login: that would lock accounts.
import type { CheckObservation, CheckTarget, Shards } from '../../../../platform/checks/check-tenant.ts';
import type { CheckReading } from '../../../../platform/checks/probe.ts';
import { shardSql } from '../../../../platform/checks/shards.ts';
import type { Database, Transaction } from '../../../../platform/database/database.ts';
import { Refusal } from '../../../../platform/errors/errors.ts';
import { checkLease } from '../../../../platform/leases/leases.ts';
import type { EgressPolicy } from '../../../../platform/net/egress.ts';
import type { SendFailure } from '../../../../platform/net/send.ts';
import type { Sealer } from '../../../../platform/secrets/seal.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import { JoinedReads } from '../../../../platform/work/joined-reads.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import type { Driver, Health, SelfDescription } from '../../drivers/driver.ts';
import { drivers as allDrivers } from '../../drivers/registry.ts';
import { createTransport } from '../../transports/factories.ts';
import type { TransportFactory } from '../../transports/session.ts';
import { type BackendEndpoint, Wires } from '../../transports/wires.ts';
import type { BackendRow } from '../backends/backend.ts';
import { changeBackend, presentedIn } from '../backends/backend-events.ts';
import {
  type BackendChange,
  credentialsOf,
  lockBackend,
  readBackends,
  writeHealth,
} from '../backends/backend-store.ts';
import { isLasting, openCircuit, passage } from '../backends/circuit.ts';
import { type DeviceHolder, describeHolder, identitiesOf, moveIdentities } from '../backends/device-identity.ts';
import { configurationOf, contextOf, readEndpoint } from '../backends/endpoint.ts';
import { addressDigest } from '../backends/secret-address.ts';

export interface BackendCheckDetail {
  readonly softwareVersion: string | null;
  readonly serial: string | null;
  /** Reason to open its circuit permanently: set when a retry would not help. */
  readonly openCircuit: string | null;
  /** The proof of identity that the device presented, if it is not the accepted one. */
  readonly presented: Pick<BackendChange, 'presentedKind' | 'presentedSha256'>;
  /** The address and the credentials of the check. Absent if it did not get that far. */
  readonly configuration?: string;
}

type BackendReading = CheckReading<BackendCheckDetail>;
type BackendObservation = Pick<
  CheckObservation<BackendCheckDetail>,
  'targetId' | 'message' | 'detail' | 'latencyMs' | 'at' | 'status'
>;

const statusOf = { UP: 'ONLINE', DOWN: 'OFFLINE', UNKNOWN: 'UNKNOWN' } as const;
const checkedOf = { ONLINE: 'UP', OFFLINE: 'DOWN', UNKNOWN: 'UNKNOWN' } as const;

/** Active backends: of the given shards, or with the given ids (UUIDs). */
export async function listCheckTargets(
  db: Database,
  which: Shards | { readonly ids: readonly string[] },
): Promise<Pick<CheckTarget, 'id' | 'status' | 'revision'>[]> {
  const values = 'ids' in which ? which.ids : [...which.wanted];
  if (values.length === 0) return [];
  const marks = values.map(() => '?').join(', ');
  const condition = 'ids' in which ? `id IN (${marks})` : `${shardSql('id')} IN (${marks})`;
  const rows = await db.query<{ id: string; status: keyof typeof checkedOf; revision: string }>(
    `SELECT id, operating_status AS status,
      CONCAT_WS('/', host, port, host_key_sha256, certificate_sha256, ca_certificates, options, crypto_profile,
        (SELECT MAX(c.updated_at) FROM backend_credential c WHERE c.backend_id = backend.id)) AS revision
    FROM backend WHERE provisioning_status = 'ENABLED' AND ${condition} ORDER BY id`,
    'ids' in which ? values : [which.count, ...values],
  );
  return rows.map((row) => ({ ...row, status: checkedOf[row.status] }));
}

export interface BackendCheckerOptions {
  readonly db: Database;
  readonly sealer: Sealer;
  readonly drivers?: ReadonlyMap<string, Driver>;
  readonly transports?: TransportFactory;
  /** See RelaySettings. */
  readonly sourceAddress?: string | undefined;
}

interface Session {
  readonly key: string;
  readonly endpoint: BackendEndpoint;
  readonly configuration: string;
  /** Undefined after a failure: failed wires are not used again. */
  wires: Wires | undefined;
}

/** The revision changes with new credentials too, but the engine may notice that late. The row is current. */
function sessionKey(revision: string, row: BackendRow): string {
  return `${revision} ${addressDigest(row)}`;
}

/**
 * Keeps one session to each backend that it checks, so that a check is one exec without a login. Also keeps the opened credentials
 * of a session that has ended.
 */
export class BackendChecker {
  readonly #db: Database;
  readonly #sealer: Sealer;
  readonly #drivers: ReadonlyMap<string, Driver>;
  readonly #transports: TransportFactory;
  readonly #sourceAddress: string | undefined;
  readonly #rows: JoinedReads<string, BackendRow>;
  readonly #sessions = new Map<string, Session>();

  constructor(options: BackendCheckerOptions) {
    this.#db = options.db;
    this.#sealer = options.sealer;
    this.#drivers = options.drivers ?? allDrivers;
    this.#transports = options.transports ?? createTransport;
    this.#sourceAddress = options.sourceAddress;
    this.#rows = new JoinedReads((ids) => readBackends(this.#db, ids));
  }

  /** Throws only when the check can't be made: the database is not available, or another host has the address to call from. */
  async check(
    target: { readonly id: string; readonly revision?: string; readonly timeoutMs: number },
    options: { readonly signal: AbortSignal; readonly egress: EgressPolicy },
  ): Promise<BackendReading> {
    const row = await this.#rows.read(target.id);
    if (options.signal.aborted) return down('the check was cancelled');
    const driver = this.#drivers.get(row?.driver ?? '');
    if (row === undefined || driver === undefined) return down('this worker does not have its driver');
    const reading = await this.#look(row, driver, target, options);
    return { ...reading, notable: isNews(row, reading.detail) };
  }

  async #look(
    row: BackendRow,
    driver: Driver,
    target: { readonly id: string; readonly revision?: string; readonly timeoutMs: number },
    { signal, egress }: { readonly signal: AbortSignal; readonly egress: EgressPolicy },
  ): Promise<BackendReading> {
    if (passage(row, 0) === 'HELD') {
      await this.#forget(row.id);
      return down(row.circuitReason);
    }
    let session: Session;
    try {
      session = await this.#session(row, target);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return down(error.errors[0]?.message ?? error.message);
    }
    const context = { operationId: newUuid(), backend: contextOf(driver, row) };
    session.wires ??= new Wires(driver, session.endpoint, {
      transports: this.#transports,
      egress,
      concurrency: 1,
      connectTimeoutMs: target.timeoutMs,
      softwareVersion: row.softwareVersion,
      sourceAddress: this.#sourceAddress,
    });
    for (let health: Health | undefined = driver.health; health !== undefined; health = health.otherwise) {
      const sent = await session.wires.send(health.render(context), { deadlineMs: target.timeoutMs, signal });
      if (!sent.ok && sent.failure.code === 'SOURCE_MISSING') throw new Error(sent.failure.message);
      if (!sent.ok) return this.#failed(target.id, session, sent.redactor.value(sent.failure));
      const self = storable(sent.redactor.value(health.interpret(sent.reply)));
      const { configuration } = session;
      if (self !== undefined)
        return { up: true, message: null, detail: { ...self, openCircuit: null, presented: {}, configuration } };
    }
    const { configuration } = session;
    const found = { openCircuit: null, presented: {}, configuration };
    return down('its answer to the health check is not that of a healthy device', found);
  }

  /** Closes the sessions of backends that this process no longer checks. */
  async retain(ids: ReadonlySet<string>): Promise<void> {
    const gone = [...this.#sessions].filter(([id]) => !ids.has(id));
    await Promise.all(gone.map(([id]) => this.#forget(id)));
  }

  async close(): Promise<void> {
    await this.retain(new Set());
  }

  async #failed(id: string, session: Session, failure: SendFailure): Promise<BackendReading> {
    const text = `${failure.code}: ${failure.message}`;
    // The credentials played no part: the next check, of perhaps thousands that are gone, does not read them again.
    if (failure.code === 'CONNECT_FAILED' || failure.code === 'ABORTED') await closeWires(session);
    else await this.#forget(id);
    const lasting = isLasting(failure) && !failure.code.endsWith('_UNKNOWN');
    const presented = failure.kind === 'NOT_SENT' ? presentedIn(failure) : {};
    return down(text, { openCircuit: lasting ? text : null, presented, configuration: session.configuration });
  }

  async #session(row: BackendRow, { revision = '' }: { readonly revision?: string }): Promise<Session> {
    const known = this.#sessions.get(row.id);
    if (known !== undefined && known.key === sessionKey(revision, row)) return known;
    await this.#forget(row.id);
    const read = await readEndpoint({ db: this.#db, sealer: this.#sealer }, row);
    const { endpoint, configuration } = read;
    const session = { key: sessionKey(revision, read.row), endpoint, configuration, wires: undefined };
    this.#sessions.set(row.id, session);
    return session;
  }

  async #forget(id: string): Promise<void> {
    const session = this.#sessions.get(id);
    this.#sessions.delete(id);
    if (session !== undefined) await closeWires(session);
  }
}

async function closeWires(session: Session): Promise<void> {
  const { wires } = session;
  session.wires = undefined;
  await wires?.close();
}

/** Longest texts of the backend's row. */
const mostChars = 255;

/** What a device says of itself has any length. Results are recorded together, so one that does not fit would keep the others out. */
function storable(self: SelfDescription | undefined): SelfDescription | undefined {
  if (self === undefined) return undefined;
  const { softwareVersion, serial } = self;
  return { softwareVersion: softwareVersion.slice(0, mostChars), serial: serial?.slice(0, mostChars) ?? null };
}

function down(
  message: string | null,
  found: Pick<BackendCheckDetail, 'openCircuit' | 'presented' | 'configuration'> = { openCircuit: null, presented: {} },
): BackendReading {
  return { up: false, message, detail: { softwareVersion: null, serial: null, ...found } };
}

/** Whether a check found something besides up or down. */
function isNews(row: BackendRow, detail: BackendCheckDetail | null): boolean {
  if (detail === null) return false;
  const { softwareVersion, serial } = detail;
  return (
    opensCircuit(row, detail) ||
    showsAnother(row, detail) ||
    (softwareVersion !== null && softwareVersion !== row.softwareVersion) ||
    (serial !== null && serial !== row.serial)
  );
}

function opensCircuit(row: BackendRow, { openCircuit: reason }: BackendCheckDetail): boolean {
  return reason !== null && !row.circuitLasting;
}

function showsAnother(row: BackendRow, { presented }: BackendCheckDetail): boolean {
  return presented.presentedSha256 != null && presented.presentedSha256 !== row.presentedSha256;
}

/** One transaction, fenced by the shard's lease; transitions become status events. */
export async function recordCheckResults(
  db: Database,
  wake: Wake,
  batch: readonly BackendObservation[],
  lease: { readonly name: string; readonly token: string },
  drivers: ReadonlyMap<string, Driver> = allDrivers,
): Promise<void> {
  // Sorted by id, so that two batches can't deadlock.
  const ordered = [...batch].sort((a, b) => (a.targetId < b.targetId ? -1 : 1));
  await db.transaction(async (tx) => {
    for (const seen of ordered) await recordOne(tx, wake, seen, drivers);
    await checkLease(tx, lease);
  });
}

async function recordOne(
  tx: Transaction,
  wake: Wake,
  seen: BackendObservation,
  drivers: ReadonlyMap<string, Driver>,
): Promise<void> {
  const row = await lockBackend(tx, seen.targetId);
  if (row === undefined || row.provisioningStatus !== 'ENABLED') return;
  const changes = statusOf[seen.status] !== row.operatingStatus || isNews(row, seen.detail);
  if (changes && !(await isOfNow(tx, row, seen.detail))) return;
  const read = seen.detail?.serial ?? row.serial;
  const holder = await moveSerial(tx, row, read, drivers.get(row.driver));
  // A backend that never had a serial is a second registration; another one was replaced, or has failed over.
  const isSecond = holder !== undefined && row.serial === null;
  await writeHealth(tx, row.id, {
    checkedAt: seen.at,
    latencyMs: Math.round(seen.latencyMs),
    softwareVersion: seen.detail?.softwareVersion ?? row.softwareVersion,
    serial: isSecond ? null : read,
    message: seen.message?.slice(0, 1024) ?? null,
  });
  const operatingStatus = statusOf[seen.status];
  const { message } = seen;
  const { detail } = seen;
  const another = isSecond && !row.circuitLasting ? describeHolder(holder, holder.projectId === row.projectId) : null;
  const reason = another ?? (detail !== null && opensCircuit(row, detail) ? detail.openCircuit : null);
  const shown = detail !== null && showsAnother(row, detail) ? detail.presented : undefined;
  if (operatingStatus === row.operatingStatus && reason === null && shown === undefined) return;
  const circuit = reason === null ? {} : openCircuit(reason, true);
  await changeBackend(tx, wake, row, { operatingStatus, ...circuit, ...shown }, message);
}

/** Returns the backend that has the serial. */
async function moveSerial(
  tx: Transaction,
  row: BackendRow,
  serial: string | null,
  driver: Driver | undefined,
): Promise<DeviceHolder | undefined> {
  if (serial === row.serial || driver === undefined) return undefined;
  return moveIdentities(tx, row.id, identitiesOf(row, driver), identitiesOf({ ...row, serial }, driver));
}

/**
 * False when address or credentials were changed since the check: it was of another device, perhaps. Its result is dropped, because
 * the changed backend is checked at once.
 */
async function isOfNow(tx: Transaction, row: BackendRow, detail: BackendCheckDetail | null): Promise<boolean> {
  if (detail?.configuration === undefined) return true;
  const credentials = (await credentialsOf(tx, [row.id])).get(row.id) ?? [];
  return detail.configuration === configurationOf(row, credentials);
}
