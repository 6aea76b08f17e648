// Shared parts of pages that show a list, or one of its entities.
import { formatWord } from './format.ts';
import { type Failure, Failures } from './refusal.tsx';
import { Skeleton } from './skeleton.tsx';

interface NotShownProps {
  /** For example `name`. */
  readonly what: string;
  readonly reading: { readonly isGone: boolean; readonly failure: Failure | null };
  readonly onBack: () => void;
}

/** Replaces an entity that does not exist or is not read yet. */
export function NotShown({ what, reading: { isGone, failure }, onBack }: NotShownProps) {
  return (
    <div className="waiting">
      {failure !== null && <Failures failures={[failure]} />}
      {isGone ? <p>Not found: deleted, or in none of your projects.</p> : <Skeleton />}
      <button type="button" onClick={onBack}>
        All {what}s
      </button>
    </div>
  );
}

interface ShownChipProps {
  readonly what: string;
  /** Undefined until it is read. */
  readonly name: string | undefined;
  readonly onBack: () => void;
}

/** The shown entity, as a chip among the filters. */
export function ShownChip({ what, name, onBack }: ShownChipProps) {
  return (
    <button type="button" className="chip chosen" onClick={onBack}>
      <span className="visually-hidden">Show all, not only the {what} </span>
      {name ?? `one ${what}`} <span aria-hidden="true">×</span>
    </button>
  );
}

interface Statuses {
  readonly operatingReason: string | null;
  readonly provisioningReason: string | null;
}

/** Why it does not serve fully, or why a change is not in effect. Empty if neither is the case. */
export function reasonsOf({ operatingReason, provisioningReason }: Statuses): string {
  return [operatingReason, provisioningReason].filter(Boolean).join(' · ');
}

/** The number of entities with each status: `3 online · 1 error`. */
export function countsOf(statuses: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const status of statuses) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([status, count]) => `${count} ${formatWord(status)}`).join(' · ');
}
