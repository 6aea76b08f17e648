// The parent's side of the benchmark's devices: starts them, sets their delay, and registers them as backends.
import type { Endpoint } from '../../subgraphs/relay/transports/session.ts';
import { Child } from '../child.ts';
import { type Ask, type MutationAnswer, notRefused } from '../graph-client.ts';
import { callKinds, type Wire } from './calls.ts';
import type { DeviceOrder, DevicePlace } from './device-process.ts';

/** The highest concurrency of a backend. */
export const mostConcurrency = 16;
const askDeadlineMs = 30_000;
const username = 'bench';

interface Devices {
  readonly places: readonly DevicePlace[];
  /** From now on, before every answer to a call. */
  setDelay(delayMs: number): Promise<void>;
}

/** In a separate process, which ends with the stack. */
export async function startDevices(stack: AsyncDisposableStack, wire: Wire, count: number): Promise<Devices> {
  const child = new Child(new URL('./device-process.ts', import.meta.url));
  stack.defer(() => child.stop());
  const ask = (order: DeviceOrder) => child.ask<readonly DevicePlace[]>(order, askDeadlineMs);
  const places = await ask({ do: 'start', wire, count });
  return {
    places,
    setDelay: async (delayMs) => {
      await ask({ do: 'delay', delayMs });
    },
  };
}

/** A single one, with a backend's highest concurrency. */
export async function startDevice(stack: AsyncDisposableStack, wire: Wire) {
  const { places, setDelay } = await startDevices(stack, wire, 1);
  const [place] = places;
  if (place === undefined) throw new Error('no device was started');
  return { place, setDelay };
}

/** `concurrency`: absent, the graph's default. */
interface Registration {
  readonly name: string;
  readonly place: DevicePlace;
  readonly concurrency?: number;
}

export async function register(ask: Ask, { name, place, concurrency }: Registration): Promise<void> {
  const { wire, host, port, fingerprint, password } = place;
  const input = {
    ...{ name, driver: callKinds[wire].driver, site: 'bench', host, port },
    ...(wire === 'ssh' ? { hostKeySha256: fingerprint } : { certificateSha256: fingerprint }),
    credentials: { username, password },
    ...(concurrency === undefined ? {} : { limits: { concurrency } }),
  };
  const query =
    'mutation ($input: BackendCreateInput!) { made: backendCreate(input: $input) { userErrors { code message } } }';
  notRefused((await ask<{ made: MutationAnswer }>(query, { input })).made);
}

/** For calls without the relay. */
export function endpointOf({ wire, host, port, fingerprint, password }: DevicePlace): Endpoint {
  return {
    ...{ host, port, cryptoProfile: 'MODERN', credentials: { username, password } },
    hostKeySha256: wire === 'ssh' ? fingerprint : null,
    certificateSha256: wire === 'https' ? fingerprint : null,
  };
}
