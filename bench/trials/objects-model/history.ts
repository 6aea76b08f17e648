// What clients of the model do to a name, and what they were told.
import type { Value } from './model-replica.ts';

export type Step =
  | { readonly kind: 'write'; readonly value: Value }
  | { readonly kind: 'delete' }
  | { readonly kind: 'read'; readonly got: Value | undefined }
  /** `did`: undefined where it was not told. */
  | { readonly kind: 'create' | 'replace'; readonly value: Value; readonly did: boolean | undefined };

/** The state is the value, empty when there is none. */
export function applyStep(state: string, step: Step): string | undefined {
  if (step.kind === 'write') return step.value;
  if (step.kind === 'delete') return '';
  if (step.kind === 'read') return (step.got ?? '') === state ? state : undefined;
  const does = (step.kind === 'create') === (state === '');
  if (step.did !== undefined && step.did !== does) return undefined;
  return does ? step.value : state;
}
