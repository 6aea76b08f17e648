// One device of the lab in a network of its own: its namespaces, its keys and its faults, and sshd before its programs.
import { join } from 'node:path';
import type { SetupLog } from '../embedded/setup-log.ts';
import type { DeviceFaults } from './device-faults.ts';
import { ensureKeys } from './keys.ts';
import { layOutNetwork, namesFor, removeNetwork } from './network.ts';
import { deviceFaults, deviceLogPath, devicePort, startDevice } from './ssh-device.ts';

export interface LoneDeviceOptions {
  /** For messages. */
  readonly name: string;
  /** The file that says what it is (device/start.sh). */
  readonly device: string;
  /** A private folder that exists, without symbolic links in its path. */
  readonly folder: string;
  readonly log: SetupLog;
  readonly signal?: AbortSignal;
}

export interface LoneDevice {
  readonly available: true;
  readonly host: string;
  readonly port: number;
  readonly privateKeyPath: string;
  readonly hostKeySha256: string;
  readonly namespace: string;
  /** Read it with `readDeviceLog`. */
  readonly deviceLogPath: string;
  readonly faults: DeviceFaults;
  stop(): Promise<void>;
}

/** Removes what a killed one has left first. `prepare`: before it starts, when its folder is laid out. */
export async function startLoneDevice(
  options: LoneDeviceOptions,
  prepare: () => Promise<void> = async () => undefined,
): Promise<LoneDevice | { readonly available: false; readonly unavailable: string }> {
  const { folder, signal } = options;
  const names = namesFor(folder);
  await removeNetwork(names);
  const keys = await ensureKeys(join(folder, 'keys'));
  const faults = await deviceFaults(folder);
  await prepare();
  let host: string;
  try {
    ({ managementAddress: host } = await layOutNetwork(names, undefined, signal));
  } catch (error) {
    await removeNetwork(names);
    signal?.throwIfAborted();
    return { available: false, unavailable: `network namespaces can't be made here (${String(error)})` };
  }
  const server = await startDevice({ ...options, namespace: names.firewall, address: host }).catch(async (error) => {
    await removeNetwork(names);
    throw error;
  });
  if (typeof server === 'string') {
    await removeNetwork(names);
    return { available: false, unavailable: `it can't be shut off from this machine here (${server})` };
  }
  return {
    available: true,
    ...{ host, port: devicePort, ...keys, namespace: names.firewall, faults },
    deviceLogPath: deviceLogPath(folder),
    async stop() {
      await server.stop();
      await removeNetwork(names);
    },
  };
}
