// The called devices, and the number of clients at once. For each protocol there is a device that answers at once or after 20 ms; the lab's
// firewall is the last case.

import type { Ask } from '../../measure/graph-client.ts';
import { type Wire, wires } from '../../measure/relay/calls.ts';
import { endpointOf, mostConcurrency, register, startDevice } from '../../measure/relay/devices.ts';
import type { Endpoint } from '../../subgraphs/relay/transports/session.ts';

export interface Case {
  readonly name: string;
  readonly wire: Wire;
  readonly backend: string;
  /** The same device, for calls without the relay. */
  readonly endpoint: Endpoint;
  readonly concurrency: number;
  readonly clients: number;
  /** Brings the device into the state of the case. */
  prepare(): Promise<void>;
}

export const slowMs = 20;
const labConcurrency = 4;

export const nameOf = (wire: Wire, delayMs: number, clients: number): string =>
  `${wire}, ${delayMs === 0 ? 'instant' : `${delayMs} ms`}, ${clients} client${clients === 1 ? '' : 's'}`;

/** Devices are registered as backends, and end with the stack. */
export async function startCases(stack: AsyncDisposableStack, ask: Ask, lab: Endpoint | undefined): Promise<Case[]> {
  const cases: Case[] = [];
  for (const wire of wires) {
    const { place, setDelay } = await startDevice(stack, wire);
    const backend = `bench-${wire}`;
    await register(ask, { name: backend, place, concurrency: mostConcurrency });
    const device = { wire, backend, endpoint: endpointOf(place), concurrency: mostConcurrency };
    for (const clients of [1, mostConcurrency])
      for (const delayMs of [0, slowMs])
        cases.push({ ...device, name: nameOf(wire, delayMs, clients), clients, prepare: () => setDelay(delayMs) });
  }
  if (lab !== undefined) {
    const firewall = { wire: 'ssh', backend: 'lab-firewall', endpoint: lab, concurrency: labConcurrency } as const;
    cases.push({ ...firewall, name: 'lab, 1 client', clients: 1, prepare: async () => {} });
  }
  return cases;
}
