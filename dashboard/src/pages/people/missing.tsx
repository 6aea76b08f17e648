// Stands in a drawer for what is not read yet, or is gone.
import { type Failure, Failures } from '../../view/refusal.tsx';

export function Missing({ isGone, failure }: { readonly isGone: boolean; readonly failure: Failure | null }) {
  if (failure !== null) return <Failures failures={[failure]} />;
  return <p className="dim">{isGone ? 'Not found: deleted, or not visible to you.' : 'Reading…'}</p>;
}
