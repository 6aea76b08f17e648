// Helpers of the transport tests: cleanup after each test, and reads of a call's outcome.
import { afterEach } from '@jest/globals';
import type { SendFailure } from '../../../../../platform/net/send.ts';
import type { SendResult, Slot, Transport } from '../../../../../subgraphs/relay/transports/session.ts';

const owned: (() => Promise<unknown>)[] = [];

/** Call at the top of a test file. */
export function endAfterEach(): void {
  afterEach(async () => {
    for (const stop of owned.splice(0).reverse()) await stop();
  });
}

/** Stops or closes the thing after the test. */
export function own<Thing extends { stop(): Promise<unknown> } | { close(): Promise<unknown> }>(thing: Thing): Thing {
  owned.push(() => ('stop' in thing ? thing.stop() : thing.close()));
  return thing;
}

export async function slotOf(transport: Transport): Promise<Slot> {
  const reservation = await transport.reserve();
  if (!reservation.ok) throw new Error(reservation.failure.message);
  return reservation.slot;
}

export const failureOf = (result: SendResult): SendFailure | undefined => (result.ok ? undefined : result.failure);
