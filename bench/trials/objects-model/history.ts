// What clients of the model do to a name, and what they were told.
import type { Operation } from './linearizable.ts';
import type { Value } from './model-replica.ts';
import type { Shown } from './nearest.ts';

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

/** Nothing, of a condition that was refused. */
export function shownBy({ called, answered, step }: Operation<Step>): readonly Shown[] {
  if (step.kind === 'read') return [{ called, answered, value: step.got ?? '', isWrite: false }];
  if ('did' in step && step.did === false) return [];
  return [{ called, answered, value: step.kind === 'delete' ? '' : step.value, isWrite: true }];
}
