// How much a load balancer's settings and certificates may be together.
import type { Transaction } from '../../../../platform/database/database.ts';
import { refuse } from '../../../../platform/errors/errors.ts';
import { bytesOfTree } from './part-store.ts';

/** Limit of a node's document: half of the longest message to a host. */
const mostTreeBytes = 8 * 1024 * 1024;

/** Refuses LIMIT_REACHED if the load balancer's settings and certificates are more than a node's document may have. */
export async function refuseTooLarge(tx: Transaction, balancerId: string): Promise<void> {
  const bytes = await bytesOfTree(tx, balancerId);
  if (bytes > mostTreeBytes)
    refuse(
      'LIMIT_REACHED',
      `the load balancer with its certificates would have ${bytes} bytes of settings; at most ${mostTreeBytes} are allowed: delete some, or use another load balancer`,
    );
}
