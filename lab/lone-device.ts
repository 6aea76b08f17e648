// One device of the lab in a separate network: its namespaces, its keys and its faults, and sshd in front of its programs.
import { join } from 'node:path';
import type { SetupLog } from '../embedded/setup-log.ts';
import type { DeviceFaults } from './device-faults.ts';
import { ensureKeys } from './keys.ts';
import { layOutNetwork, namesFor, removeNetwork } from './network.ts';
import { deviceFaults, deviceLogPath, devicePort, startDevice } from './ssh-device.ts';

interface LoneDeviceOptions {
  /** Name for messages. */
  readonly name: string;
  /** The file that defines it (device/start.sh). */
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

/** First removes leftovers of a killed one. `prepare`: called before it starts, when its folder is ready. */
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
