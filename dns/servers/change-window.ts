// For servers whose API has no conditions. A change is sent only for a short time after its content was read from the database: while the
// claim on the name lasts, under which nobody else changes it. Both clocks count: one may be set back, the other stops in a pause of the
// machine.

/** Far shorter than a claim (dns/publish). */
const windowMs = 10_000;

/** Whether changes may still be sent, to be asked right before the first byte. */
export function changeWindow(readAtMs: number, now: () => number = Date.now): () => boolean {
  const startedMs = performance.now();
  return () => {
    const ageMs = now() - readAtMs;
    return ageMs > -1_000 && ageMs < windowMs && performance.now() - startedMs < windowMs;
  };
}
