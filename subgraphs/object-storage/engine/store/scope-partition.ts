// The partition of a scope's registers.
import { partitionOf } from '../../../../platform/rings/ring.ts';

const partitions = new Map<string, number>();
const mostRemembered = 10_000;

/** Cached, because each request asks for it. */
export function partitionOfScope(scope: string): number {
  const known = partitions.get(scope);
  if (known !== undefined) return known;
  if (partitions.size >= mostRemembered) partitions.clear();
  const partition = partitionOf(scope);
  partitions.set(scope, partition);
  return partition;
}
