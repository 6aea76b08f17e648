import { afterAll } from '@jest/globals';
import type { InvariantOptions } from '../../../support/stores/invariants.ts';
import { type NodeOptions, type RelayNode, RelaySystem } from './relay-system.ts';

interface Registered {
  register(node: RelayNode, name: string): Promise<string>;
}

/** Simulated devices. */
type Endable = { stop(): Promise<void> } | { readonly ssh: { stop(): Promise<void> } };

const end = (device: Endable): Promise<void> => ('stop' in device ? device.stop() : device.ssh.stop());

interface Parts<Device> {
  readonly node?: NodeOptions;
  readonly device?: () => Promise<Device>;
  /** The device is registered under this name. */
  readonly backend?: Device extends Registered ? string : never;
  /** Invariants that the tests break deliberately. */
  readonly stop?: InvariantOptions;
}

/**
 * Call at the top of a test file. Starts a relay and a device that end after the file's tests, and checks the final
 * state.
 */
export async function startRelay<Device extends Endable = never>(
  parts: Parts<Device> = {},
): Promise<{ readonly system: RelaySystem; readonly node: RelayNode; readonly device: Device }> {
  const system = await RelaySystem.start();
  const node = await system.node(parts.node);
  const device = await parts.device?.();
  afterAll(async () => {
    try {
      await system.stop(parts.stop);
    } finally {
      await (device && end(device));
    }
  });
  if (parts.backend !== undefined) await (device as unknown as Registered).register(node, parts.backend);
  return { system, node, device: device as Device };
}
