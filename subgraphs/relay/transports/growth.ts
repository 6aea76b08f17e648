// When a pool of sessions tries a further one, after one was refused while others are open.
import type { ReserveFailure } from '../../../platform/net/send.ts';

const growAgainAfterMs = 30_000;

/**
 * By performance.now(). A refused login is not tried again while another session is open: each attempt counts towards locking the
 * account, and nobody would see the failures.
 */
export function growsAgainAtMs({ code }: ReserveFailure): number {
  return code === 'AUTH_FAILED' ? Number.POSITIVE_INFINITY : performance.now() + growAgainAfterMs;
}
