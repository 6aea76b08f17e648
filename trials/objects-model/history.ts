// Operations of clients on a name, and their answers.
import type { Operation } from './linearizable.ts';
import type { Shown } from './nearest.ts';

export type Step =
  | { readonly kind: 'put'; readonly value: string }
  | { readonly kind: 'delete' }
  | { readonly kind: 'read'; readonly got: string | undefined }
  /** If nothing exists. `did` is undefined if the outcome is unknown. */
  | { readonly kind: 'create'; readonly value: string; readonly did: boolean | undefined }
  /** If `of` exists. Without `of`, if anything exists. */
  | { readonly kind: 'replace'; readonly value: string; readonly of?: string; readonly did: boolean | undefined };

/** The state is the value. It is empty if there is none. Undefined if the answer does not fit the state. */
export function applyStep(state: string, step: Step): string | undefined {
  switch (step.kind) {
    case 'put':
      return step.value;
    case 'delete':
      return '';
    case 'read':
      return (step.got ?? '') === state ? state : undefined;
    case 'create':
    case 'replace': {
      const does = meetsCondition(state, step);
      if (step.did !== undefined && step.did !== does) return undefined;
      return does ? step.value : state;
    }
  }
}

function meetsCondition(state: string, step: Extract<Step, { readonly kind: 'create' | 'replace' }>): boolean {
  if (step.kind === 'create') return state === '';
  return step.of === undefined ? state !== '' : state === step.of;
}

/** The value that the operation writes if it takes effect. Undefined if none. A deletion writes the empty text. */
export function writes(step: Step): string | undefined {
  if (step.kind === 'read' || ('did' in step && step.did === false)) return undefined;
  return step.kind === 'delete' ? '' : step.value;
}

/** The value that it left or found. Empty for a refused condition. */
export function shownBy({ called, answered, step }: Operation<Step>): readonly Shown[] {
  if (step.kind === 'read') return [{ called, answered, value: step.got ?? '', isWrite: false }];
  const value = writes(step);
  return value === undefined ? [] : [{ called, answered, value, isWrite: true }];
}

/** A change with unknown outcome. */
export function untold(kind: Exclude<Step['kind'], 'read'>, value: string): Step {
  if (kind === 'delete') return { kind };
  return kind === 'put' ? { kind, value } : { kind, value, did: undefined };
}
