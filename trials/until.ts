// Waits for a condition that takes a moment, such as the consequences of a restore or a step of a clock.
import { setTimeout as sleep } from 'node:timers/promises';

/** A condition that throws counts as not met yet. False if not in time. */
export async function untilTrue(mostMs: number, condition: () => Promise<boolean>): Promise<boolean> {
  const endMs = performance.now() + mostMs;
  while (performance.now() < endMs) {
    if (await condition().catch(() => false)) return true;
    await sleep(20);
  }
  return false;
}
