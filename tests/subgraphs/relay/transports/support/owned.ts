// What tests of transports share: what they start ends after each test, and reads of what became of a call.
import { afterEach } from '@jest/globals';
import type { SendFailure } from '../../../../../platform/net/send.ts';
import type { SendResult, Slot, Transport } from '../../../../../subgraphs/relay/transports/session.ts';

const owned: (() => Promise<unknown>)[] = [];

/** Of a test file, before its tests. */
export function endAfterEach(): void {
  afterEach(async () => {
    for (const stop of owned.splice(0).reverse()) await stop();
  });
}

/** Ends after the test. */
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
