// A fleet of backends, half over SSH and half over HTTPS. Devices in two processes answer each call after 20 ms, and calls go to any of them.

import { closedLoop } from '../../measure/closed-loop.ts';
import type { Ask } from '../../measure/graph-client.ts';
import { type CallData, CallMaker, checkSucceeded, type Wire, wires } from '../../measure/relay/calls.ts';
import { register, startDevices } from '../../measure/relay/devices.ts';
import type { Random } from '../../trials/random.ts';

const deviceDelayMs = 20;
const registeredAtOnce = 8;

export interface FleetBackend {
  readonly name: string;
  readonly wire: Wire;
}

/** Registers the backends; the devices end with the stack. */
export async function startFleet(stack: AsyncDisposableStack, ask: Ask, count: number): Promise<FleetBackend[]> {
  const fleet: FleetBackend[] = [];
  for (const wire of wires) {
    const { places, setDelay } = await startDevices(stack, wire, Math.ceil(count / wires.length));
    await setDelay(deviceDelayMs);
    const left = places.map((place, index) => ({ place, name: `${wire}-${index + 1}` }));
    const registering = async (): Promise<void> => {
      for (let one = left.pop(); one !== undefined; one = left.pop()) {
        await register(ask, one);
        fleet.push({ name: one.name, wire });
      }
    };
    await Promise.all(Array.from({ length: registeredAtOnce }, registering));
  }
  return fleet;
}

export type FleetCall = (backend: FleetBackend) => Promise<void>;

/** Calls that succeed or throw. One number sequence for all calls to a fleet, because two would create the same objects. */
export function fleetCall(ask: Ask): FleetCall {
  const makers = { ssh: new CallMaker('ssh', 12), https: new CallMaker('https', 12) };
  return async ({ name, wire }) => {
    const maker = makers[wire];
    checkSucceeded(await ask<CallData>(maker.document, { input: maker.input(name) }));
  };
}

/** One call to each backend, which opens a session to each. */
export async function callEach(call: FleetCall, fleet: readonly FleetBackend[], atOnce: number): Promise<void> {
  const left = [...fleet];
  const calling = async (): Promise<void> => {
    for (let backend = left.pop(); backend !== undefined; backend = left.pop()) await call(backend);
  };
  await Promise.all(Array.from({ length: atOnce }, calling));
}

/** Calls to random backends. */
export async function warmUp(
  call: FleetCall,
  {
    fleet,
    random,
    forMs,
  }: { readonly fleet: readonly FleetBackend[]; readonly random: Random; readonly forMs: number },
): Promise<void> {
  await closedLoop({ clients: 16, forMs }, () => call(random.pick(fleet)));
}
