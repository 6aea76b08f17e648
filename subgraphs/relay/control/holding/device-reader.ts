// Calls that change nothing (reads, probes, the device's own checks): through the holder's sessions if this process holds the
// backend, else through a separate session, which is closed when idle.
import type { Database } from '../../../../platform/database/database.ts';
import type { EgressPolicy } from '../../../../platform/net/egress.ts';
import type { ReserveFailure } from '../../../../platform/net/send.ts';
import type { Sealer } from '../../../../platform/secrets/seal.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import type { Driver, WireCall } from '../../drivers/driver.ts';
import type { TransportFactory } from '../../transports/session.ts';
import { type Asked, Wires } from '../../transports/wires.ts';
import { type BackendRow, isNewer } from '../backends/backend.ts';
import { changeBackend, presentedIn } from '../backends/backend-events.ts';
import { credentialsOf, lockBackend } from '../backends/backend-store.ts';
import { isLasting, openCircuit } from '../backends/circuit.ts';
import type { Devices } from '../backends/devices.ts';
import { configurationOf, driverOf, readEndpoint } from '../backends/endpoint.ts';
import { refuseUnusable } from '../backends/usable.ts';
import type { RelaySettings } from '../settings.ts';
import type { BackendManager } from './backend-manager.ts';

interface DeviceReaderOptions {
  readonly db: Database;
  readonly sealer: Sealer;
  readonly drivers: ReadonlyMap<string, Driver>;
  readonly transports: TransportFactory;
  readonly egress: EgressPolicy;
  readonly manager: BackendManager;
  readonly settings: RelaySettings;
  readonly wake: Wake;
}

interface Guest {
  readonly wires: Wires;
  readonly row: BackendRow;
  /** Its address and credentials: see configurationOf. */
  readonly configuration: string;
  calls: number;
  usedAtMs: number;
}

export class DeviceReader implements Devices {
  readonly #options: DeviceReaderOptions;
  readonly #guests = new Map<string, Guest>();
  /** Those of former guests. */
  readonly #closing = new Set<Promise<void>>();

  constructor(options: DeviceReaderOptions) {
    this.#options = options;
  }

  /** Refuses when the backend accepts no calls now; never rejects for failures on the wire. */
  async ask(backend: BackendRow, wire: WireCall, deadlineMs: number): Promise<Asked> {
    refuseUnusable(backend, wire, this.#options.settings);
    const holder = await this.#options.manager.hold(backend);
    if (holder !== undefined) return holder.ask(wire, { deadlineMs });
    const guest = await this.#guest(backend);
    guest.calls += 1;
    try {
      const asked = await guest.wires.send(wire, { deadlineMs });
      if (!asked.ok && asked.failure.kind === 'NOT_SENT' && isLasting(asked.failure))
        await this.#openCircuit(guest, asked.redactor.value(asked.failure));
      return asked;
    } finally {
      guest.calls -= 1;
      guest.usedAtMs = performance.now();
    }
  }

  /**
   * The holder has sessions of its own and need not meet this failure. Otherwise each read would try a refused login again, which
   * locks accounts. It opens no circuit once the backend has another address or other credentials.
   */
  async #openCircuit(guest: Guest, failure: ReserveFailure): Promise<void> {
    const { db, wake } = this.#options;
    const { id } = guest.row;
    await db.transaction(async (tx) => {
      const row = await lockBackend(tx, id);
      if (row === undefined || row.circuitLasting) return;
      const credentials = (await credentialsOf(tx, [id])).get(id) ?? [];
      if (configurationOf(row, credentials) !== guest.configuration) return;
      const circuit = openCircuit(`${failure.code}: ${failure.message}`, true);
      await changeBackend(tx, wake, row, { ...circuit, ...presentedIn(failure) }, circuit.circuitReason);
    });
  }

  /** Closes sessions that have been idle for a while. Does not wait: a logout of a device that does not answer takes seconds. */
  tick(): void {
    const idleSinceMs = performance.now() - this.#options.settings.holderIdleMs;
    const idle = [...this.#guests].filter(([, guest]) => guest.calls === 0 && guest.usedAtMs <= idleSinceMs);
    for (const [id, guest] of idle) {
      this.#guests.delete(id);
      const closed = guest.wires
        .close()
        .catch(() => undefined)
        .finally(() => this.#closing.delete(closed));
      this.#closing.add(closed);
    }
  }

  async close(): Promise<void> {
    const guests = [...this.#guests.values()];
    this.#guests.clear();
    await Promise.all([...guests.map((guest) => guest.wires.close()), ...this.#closing]);
  }

  async #guest(backend: BackendRow): Promise<Guest> {
    const known = this.#guests.get(backend.id);
    if (known !== undefined && !isNewer(backend, known.row)) return known;
    const { drivers, transports, egress, settings } = this.#options;
    const { row, endpoint, configuration } = await this.#endpointOf(backend);
    const made = this.#guests.get(row.id);
    if (made !== undefined && !isNewer(row, made.row)) return made;
    const { connectTimeoutMs, sourceAddress } = settings;
    const { softwareVersion } = row;
    const wires = new Wires(driverOf(drivers, row), endpoint, {
      ...{ transports, egress, concurrency: 1, connectTimeoutMs, softwareVersion, sourceAddress },
    });
    const guest = { wires, row, configuration, calls: 0, usedAtMs: performance.now() };
    this.#guests.set(row.id, guest);
    await made?.wires.close();
    return guest;
  }

  async #endpointOf(backend: BackendRow): ReturnType<typeof readEndpoint> {
    try {
      return await readEndpoint(this.#options, backend);
    } catch (error) {
      const made = this.#guests.get(backend.id);
      if (made !== undefined && isNewer(backend, made.row)) {
        this.#guests.delete(backend.id);
        await made.wires.close();
      }
      throw error;
    }
  }
}
