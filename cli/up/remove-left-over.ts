// Runs before a start: removes the remains of killed processes on this machine.
import { hasOwnerless } from '../../lab/claims/claims.ts';
import type { Surroundings } from '../verb.ts';

/** A failure does not prevent the start. */
export async function removeLeftOver({ stdout, stderr }: Pick<Surroundings, 'stdout' | 'stderr'>): Promise<void> {
  if (!hasOwnerless()) return;
  // Loaded on demand, because root runs as little code as possible.
  const { removeOwnerless } = await import('../../lab/remove-ownerless.ts');
  const { removed, failures } = await removeOwnerless();
  const names = removed.map(({ kind, name }) => `${kind} ${name}`);
  if (names.length > 0) stdout.write(`Removed what killed processes had left: ${names.join(', ')}.\n`);
  for (const each of failures)
    stderr.write(`tidegate: not all that killed processes had left could be removed: ${each}\n`);
}
