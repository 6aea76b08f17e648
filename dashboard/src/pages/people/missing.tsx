// Stands in a drawer for what is not read yet, or is gone.

import { type Failure, Failures } from '../../view/refusal.tsx';
import { Skeleton } from '../../view/skeleton.tsx';

export function Missing({ isGone, failure }: { readonly isGone: boolean; readonly failure: Failure | null }) {
  if (failure !== null) return <Failures failures={[failure]} />;
  return isGone ? <p className="dim">Not found: deleted, or not visible to you.</p> : <Skeleton />;
}
