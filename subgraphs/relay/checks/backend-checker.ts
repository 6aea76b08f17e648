// Health checks of backends, for the check engine: which to check, one check (connect, log in, ask for version and serial),
// and recording what was seen. A check never logs in again where logging in was refused: that would lock accounts.
import type { Database, Transaction } from '../../../platform/database/database.ts';
import { newUuid } from '../../../platform/ids.ts';
import { checkLease } from '../../../platform/leases.ts';
import type { SendFailure } from '../../../platform/net/send.ts';
import type { Sealer } from '../../../platform/secrets/seal.ts';
import type { Wake } from '../../../platform/wake.ts';
import type { BackendRow } from '../backends/backend.ts';
import { changeBackend, presentedIn } from '../backends/backend-events.ts';
import { type BackendChange, credentialsOf, lockBackend, readBackend, writeHealth } from '../backends/backend-store.ts';
import { isLasting, openCircuit, passage } from '../backends/circuit.ts';
import { contextOf, openEndpoint } from '../backends/endpoint.ts';
import type { Driver } from '../drivers/driver.ts';
import { drivers as allDrivers } from '../drivers/registry.ts';
import { createTransport } from '../transports/factories.ts';
import type { TransportFactory } from '../transports/session.ts';
import { Wires } from '../transports/wires.ts';

export interface BackendCheckTarget {
  /** UUID. */
  readonly id: string;
  readonly status: 'UP' | 'DOWN' | 'UNKNOWN';
  /** Another one: check at once, the address or credentials changed. */
  readonly revision: string;
}

export interface BackendCheckDetail {
  readonly softwareVersion: string | null;
  readonly serial: string | null;
  /** Why it is held back from now on: set when trying again would not help. */
  readonly openCircuit: string | null;
  /** What the device showed to prove itself, when that is not what is accepted. */
  readonly presented: Pick<BackendChange, 'presentedKind' | 'presentedSha256'>;
}

export interface BackendReading {
  readonly up: boolean;
  readonly message: string | null;
  readonly detail: BackendCheckDetail | null;
}

export interface BackendObservation {
  readonly target: { readonly id: string };
  readonly message: string | null;
  readonly detail: BackendCheckDetail | null;
  readonly latencyMs: number;
  readonly at: Date;
  /** After fall and rise. */
  readonly status: 'UP' | 'DOWN' | 'UNKNOWN';
}

const statusOf = { UP: 'ONLINE', DOWN: 'OFFLINE', UNKNOWN: 'UNKNOWN' } as const;
const checkedOf = { ONLINE: 'UP', OFFLINE: 'DOWN', UNKNOWN: 'UNKNOWN' } as const;

/** All backends in use. */
export async function listCheckTargets(db: Database): Promise<BackendCheckTarget[]> {
  const rows = await db.query<{ id: string; status: keyof typeof checkedOf; revision: string }>(
    `SELECT id, operating_status AS status,
      CONCAT_WS('/', host, port, host_key_sha256, certificate_sha256, ca_certificates, options, crypto_profile,
        (SELECT MAX(c.updated_at) FROM backend_credential c WHERE c.backend_id = backend.id)) AS revision
    FROM backend WHERE provisioning_status = 'ENABLED' ORDER BY id`,
  );
  return rows.map((row) => ({ ...row, status: checkedOf[row.status] }));
}

export interface BackendCheckerOptions {
  readonly db: Database;
  readonly sealer: Sealer;
  readonly drivers?: ReadonlyMap<string, Driver>;
  readonly transports?: TransportFactory;
}

interface Session {
  readonly revision: string;
  readonly wires: Wires;
}

/** Keeps one session to each backend that it checks, so that a check is one exec and not a log-in. */
export class BackendChecker {
  readonly #db: Database;
  readonly #sealer: Sealer;
  readonly #drivers: ReadonlyMap<string, Driver>;
  readonly #transports: TransportFactory;
  readonly #sessions = new Map<string, Session>();

  constructor(options: BackendCheckerOptions) {
    this.#db = options.db;
    this.#sealer = options.sealer;
    this.#drivers = options.drivers ?? allDrivers;
    this.#transports = options.transports ?? createTransport;
  }

  /** Throws only when the database is away, or the credentials can't be opened. */
  async check(
    target: { readonly id: string; readonly revision?: string; readonly timeoutMs: number },
    options: { readonly signal: AbortSignal },
  ): Promise<BackendReading> {
    const row = await readBackend(this.#db, target.id);
    const driver = this.#drivers.get(row?.driver ?? '');
    if (row === undefined || driver === undefined) return down('this worker has no driver for it', null);
    if (passage(row, 0) === 'HELD') return down(row.circuitReason, null);
    const wires = await this.#session(driver, row, target.revision ?? '', target.timeoutMs);
    const context = { operationId: newUuid(), backend: contextOf(driver, row) };
    const sent = await wires.send(driver.health.render(context), {
      deadlineMs: target.timeoutMs,
      signal: options.signal,
    });
    if (!sent.ok) return this.#failed(target.id, sent.redactor.value(sent.failure));
    const self = sent.redactor.value(driver.health.interpret(sent.reply));
    if (self === undefined) return down('it answered, but not as a healthy one does', null);
    return { up: true, message: null, detail: { ...self, openCircuit: null, presented: {} } };
  }

  /** Ends the sessions of backends that are no longer checked here. */
  async retain(ids: ReadonlySet<string>): Promise<void> {
    const gone = [...this.#sessions].filter(([id]) => !ids.has(id));
    await Promise.all(gone.map(([id]) => this.#end(id)));
  }

  async close(): Promise<void> {
    await this.retain(new Set());
  }

  async #failed(id: string, failure: SendFailure): Promise<BackendReading> {
    const text = `${failure.code}: ${failure.message}`;
    // A session that failed is not used again.
    await this.#end(id);
    const lasting = isLasting(failure) && !failure.code.endsWith('_UNKNOWN');
    return down(text, lasting ? text : null, failure.kind === 'NOT_SENT' ? presentedIn(failure) : {});
  }

  async #session(driver: Driver, row: BackendRow, revision: string, timeoutMs: number): Promise<Wires> {
    const known = this.#sessions.get(row.id);
    if (known !== undefined && known.revision === revision) return known.wires;
    const credentials = (await credentialsOf(this.#db, [row.id])).get(row.id) ?? [];
    const endpoint = openEndpoint(this.#sealer, row, credentials);
    await this.#end(row.id);
    const wires = new Wires(driver, endpoint, {
      transports: this.#transports,
      concurrency: 1,
      connectTimeoutMs: timeoutMs,
      softwareVersion: row.softwareVersion,
    });
    this.#sessions.set(row.id, { revision, wires });
    return wires;
  }

  async #end(id: string): Promise<void> {
    const session = this.#sessions.get(id);
    this.#sessions.delete(id);
    await session?.wires.close();
  }
}

function down(
  message: string | null,
  openCircuit: string | null,
  presented: BackendCheckDetail['presented'] = {},
): BackendReading {
  return { up: false, message, detail: { softwareVersion: null, serial: null, openCircuit, presented } };
}

/** One transaction, fenced by the shard's lease; transitions become status events. */
export async function recordCheckResults(
  db: Database,
  wake: Wake,
  batch: readonly BackendObservation[],
  lease: { readonly name: string; readonly token: string },
): Promise<void> {
  // In the order of ids: two batches never wait for each other crosswise.
  const ordered = [...batch].sort((a, b) => (a.target.id < b.target.id ? -1 : 1));
  await db.transaction(async (tx) => {
    await checkLease(tx, lease);
    for (const seen of ordered) await recordOne(tx, wake, seen);
  });
}

async function recordOne(tx: Transaction, wake: Wake, seen: BackendObservation): Promise<void> {
  const row = await lockBackend(tx, seen.target.id);
  if (row === undefined || row.provisioningStatus !== 'ENABLED') return;
  await writeHealth(tx, row.id, {
    checkedAt: seen.at,
    latencyMs: Math.round(seen.latencyMs),
    softwareVersion: seen.detail?.softwareVersion ?? row.softwareVersion,
    serial: seen.detail?.serial ?? row.serial,
    message: seen.message?.slice(0, 1024) ?? null,
  });
  const operatingStatus = statusOf[seen.status];
  const reason = seen.detail?.openCircuit ?? undefined;
  const opens = reason !== undefined && !row.circuitLasting;
  const presented = seen.detail?.presented ?? {};
  const shows = presented.presentedSha256 != null && presented.presentedSha256 !== row.presentedSha256;
  if (operatingStatus === row.operatingStatus && !opens && !shows) return;
  const circuit = opens ? openCircuit(reason, true) : {};
  await changeBackend(tx, wake, row, { operatingStatus, ...circuit, ...presented }, seen.message);
}
