// For servers whose API has no conditions. A change is sent only while the claim on the name lasts, which excludes other writers, and for a short
// time after its content was read from the database. Both clocks count, because one may be set back, and the other stops while the machine is
// suspended.
import type { WantedName } from './record-server.ts';

/** Changes sent within this time arrive long before `afterTakeoverMs` (dns/publish). */
const windowMs = 10_000;

/** Whether changes may still be sent. Call it right before the first byte. */
export function changeWindow({
  readAtMs,
  isHeld = () => true,
}: Pick<WantedName, 'readAtMs' | 'isHeld'>): () => boolean {
  const startedMs = performance.now();
  return () => {
    const ageMs = Date.now() - readAtMs;
    return isHeld() && ageMs > -1_000 && ageMs < windowMs && performance.now() - startedMs < windowMs;
  };
}
