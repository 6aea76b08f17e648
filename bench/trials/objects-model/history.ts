// What clients do to a name, and what they were told.
import type { Operation } from './linearizable.ts';
import type { Shown } from './nearest.ts';

export type Step =
  | { readonly kind: 'put'; readonly value: string }
  | { readonly kind: 'delete' }
  | { readonly kind: 'read'; readonly got: string | undefined }
  /** If nothing is there. `did`: undefined where it was not told. */
  | { readonly kind: 'create'; readonly value: string; readonly did: boolean | undefined }
  /** If `of` is there; without it: if anything is. */
  | { readonly kind: 'replace'; readonly value: string; readonly of?: string; readonly did: boolean | undefined };

/** The state is the value, empty where there is none. Undefined: the answer does not fit. */
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

/** What it writes if it does; undefined: nothing. A deletion writes the empty text. */
export function writes(step: Step): string | undefined {
  if (step.kind === 'read' || ('did' in step && step.did === false)) return undefined;
  return step.kind === 'delete' ? '' : step.value;
}

/** What it left or met; nothing, of a condition that was refused. */
export function shownBy({ called, answered, step }: Operation<Step>): readonly Shown[] {
  if (step.kind === 'read') return [{ called, answered, value: step.got ?? '', isWrite: false }];
  const value = writes(step);
  return value === undefined ? [] : [{ called, answered, value, isWrite: true }];
}

/** A change whose fate nobody was told. */
export function untold(kind: Exclude<Step['kind'], 'read'>, value: string): Step {
  if (kind === 'delete') return { kind };
  return kind === 'put' ? { kind, value } : { kind, value, did: undefined };
}
