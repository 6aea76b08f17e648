// Kinds of status events for tests that write their own.
import type { EventKinds } from '../../../platform/events/kinds.ts';

/** Declares the kinds of these events. */
export function kindsOf(events: readonly { readonly kind: string; readonly subjectType: string }[]): EventKinds {
  return Object.fromEntries(
    events.map(({ kind, subjectType }) => [kind, { subject: subjectType, values: [], meaning: '' }]),
  );
}
