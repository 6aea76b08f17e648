// Calls that change nothing (reads, probes, the device's own checks): through the holder's sessions if this process holds the
// backend, else through a separate session, which is closed when idle.
import type { Database } from '../../../../platform/database/database.ts';
import type { EgressPolicy } from '../../../../platform/net/egress.ts';
import type { Sealer } from '../../../../platform/secrets/seal.ts';
import type { Driver, WireCall } from '../../drivers/driver.ts';
import type { TransportFactory } from '../../transports/session.ts';
import { type Asked, Wires } from '../../transports/wires.ts';
import { type BackendRow, isNewer } from '../backends/backend.ts';
import type { Devices } from '../backends/devices.ts';
import { driverOf, readEndpoint } from '../backends/endpoint.ts';
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
}

interface Guest {
  readonly wires: Wires;
  readonly row: BackendRow;
  calls: number;
  usedAtMs: number;
}

export class DeviceReader implements Devices {
  readonly #options: DeviceReaderOptions;
  readonly #guests = new Map<string, Guest>();

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
      return await guest.wires.send(wire, { deadlineMs });
    } finally {
      guest.calls -= 1;
      guest.usedAtMs = performance.now();
    }
  }

  /** Closes sessions that have been idle for a while. */
  async tick(): Promise<void> {
    const idleSinceMs = performance.now() - this.#options.settings.holderIdleMs;
    for (const [id, guest] of [...this.#guests]) {
      if (guest.calls > 0 || guest.usedAtMs > idleSinceMs) continue;
      this.#guests.delete(id);
      await guest.wires.close();
    }
  }

  async close(): Promise<void> {
    const guests = [...this.#guests.values()];
    this.#guests.clear();
    await Promise.all(guests.map((guest) => guest.wires.close()));
  }

  async #guest(backend: BackendRow): Promise<Guest> {
    const known = this.#guests.get(backend.id);
    if (known !== undefined && !isNewer(backend, known.row)) return known;
    const { drivers, transports, egress, settings } = this.#options;
    const { row, endpoint } = await this.#endpointOf(backend);
    const made = this.#guests.get(row.id);
    if (made !== undefined && !isNewer(row, made.row)) return made;
    const { connectTimeoutMs, sourceAddress } = settings;
    const { softwareVersion } = row;
    const wires = new Wires(driverOf(drivers, row), endpoint, {
      ...{ transports, egress, concurrency: 1, connectTimeoutMs, softwareVersion, sourceAddress },
    });
    const guest = { wires, row, calls: 0, usedAtMs: performance.now() };
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
