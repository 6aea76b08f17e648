// Registers the benchmark's device as a backend that takes as many calls at once as there are clients.
import type { GraphClient, MutationAnswer } from '../support/graph-client.ts';
import { notRefused } from '../support/graph-client.ts';
import type { DevicePlace } from './device-process.ts';

export const deviceName = 'bench-firewall';
/** The most that a backend may have. */
export const deviceConcurrency = 16;
const username = 'bench';

export async function registerDevice(client: GraphClient, token: string, device: DevicePlace): Promise<void> {
  const { password, ...place } = device;
  const input = {
    ...{ name: deviceName, driver: 'linux-nftables', site: 'bench' },
    ...{ ...place, credentials: { username, password }, limits: { concurrency: deviceConcurrency } },
  };
  const query =
    'mutation ($input: BackendCreateInput!) { made: backendCreate(input: $input) { userErrors { code message } } }';
  notRefused((await client.ask<{ made: MutationAnswer }>(query, { input }, token)).made);
}

/** For calls past the relay. */
export function endpointOf({ host, port, hostKeySha256, password }: DevicePlace) {
  return { host, port, hostKeySha256, cryptoProfile: 'MODERN', credentials: { username, password } } as const;
}
