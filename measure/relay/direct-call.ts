// The relay's calls without the relay: the same driver and transport with the same settings.
import { newUuid } from '../../platform/values/ids.ts';
import type { BackendContext } from '../../subgraphs/relay/drivers/driver.ts';
import { drivers } from '../../subgraphs/relay/drivers/registry.ts';
import { createTransport } from '../../subgraphs/relay/transports/factories.ts';
import type { Endpoint, Transport } from '../../subgraphs/relay/transports/session.ts';
import { testEgress } from '../../tests/support/machine/egress.ts';
import { type CallMaker, callKinds, type Wire } from './calls.ts';

const deadlineMs = 30_000;

function driverOf(wire: Wire) {
  const kind = callKinds[wire];
  const driver = drivers.get(kind.driver);
  const operation = driver?.operations.get(kind.operation);
  if (driver === undefined || operation === undefined)
    throw new Error(`there is no operation ${kind.operation} of a driver ${kind.driver}`);
  return { driver, operation };
}

const contextOf = (wire: Wire): BackendContext => ({ transport: wire, options: {}, softwareVersion: null });

export function openDirect(wire: Wire, endpoint: Endpoint, concurrency: number): Transport {
  const { cli, https } = driverOf(wire).driver;
  return createTransport(wire, endpoint, {
    ...{ egress: testEgress, concurrency, backend: contextOf(wire) },
    ...(cli === undefined ? {} : { cli }),
    ...(https === undefined ? {} : { https }),
  });
}

/** Throws for any result but success. */
export async function callDirect(transport: Transport, maker: CallMaker): Promise<void> {
  const { operation } = driverOf(maker.wire);
  const args = maker.arguments();
  const context = { operationId: newUuid(), backend: contextOf(maker.wire) };
  const sent = await transport.send(operation.render(args, context), { deadlineMs });
  if (!sent.ok) throw new Error(sent.failure.message);
  const { state } = operation.interpret(sent.reply, args, context);
  if (state !== 'SUCCEEDED') throw new Error(`the call is ${state}: ${JSON.stringify(sent.reply)}`);
}
