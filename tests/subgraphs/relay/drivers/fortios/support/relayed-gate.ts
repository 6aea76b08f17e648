// A simulated FortiGate behind the relay's own transports and the driver. Both are stopped after the test.
import { afterEach } from '@jest/globals';
import { FortiGate, type FortiGateOptions } from '../../../../../../simulators/fortios/fortigate.ts';
import type { Credentials, JsonObject, MappedObject } from '../../../../../../subgraphs/relay/drivers/driver.ts';
import { fortios } from '../../../../../../subgraphs/relay/drivers/fortios/driver.ts';
import { DriverCaller, type DriverCallerOptions, faultsOf as driverFaultsOf } from '../../../support/driver-caller.ts';
import { webEndpoint } from '../../../support/endpoints.ts';

const cleanups: (() => Promise<void>)[] = [];

/** Call at the top of a test file. Everything that its tests start ends after the test. */
export function useRelayedGates(): void {
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });
}

interface RelayedOptions extends DriverCallerOptions {
  readonly credentials?: Partial<Credentials>;
}

export class RelayedGate extends DriverCaller {
  readonly gate: FortiGate;

  constructor(gate: FortiGate, options: RelayedOptions = {}) {
    const { credentials, ...more } = options;
    // The pinned certificate is the one that the operator accepted earlier.
    const web = webEndpoint(gate.https, credentials);
    const { port, hostKeySha256 } = gate.ssh;
    super(fortios, (wire) => (wire === 'ssh' ? { ...web, port, hostKeySha256 } : web), {
      deadlineMs: 10_000,
      concurrency: 2,
      ...more,
    });
    this.gate = gate;
    cleanups.push(() => this.stop());
  }

  static async start(gate: FortiGateOptions = {}, options: RelayedOptions = {}): Promise<RelayedGate> {
    const started = await FortiGate.start(gate);
    cleanups.push(() => started.stop());
    return new RelayedGate(started, options);
  }

  override look(resource: string, object: Partial<MappedObject>) {
    return super.look(resource, { scope: 'root', key: '', ...object });
  }
}

/** The faults of arguments, `path: message`; empty when valid. */
export const faultsOf = (name: string, args: JsonObject): string[] => driverFaultsOf(fortios, name, args);
