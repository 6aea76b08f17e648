// What clients of the trial did to a name, and what they were told. Every value is written once, so that a reader's answer says whose write
// it saw.
import type { Operation } from '../objects-model/linearizable.ts';
import type { Shown } from '../objects-model/nearest.ts';

export type Step =
  | { readonly kind: 'put'; readonly value: string }
  | { readonly kind: 'delete' }
  /** `listed`: a listing told it. */
  | { readonly kind: 'read'; readonly got: string | undefined; readonly listed?: boolean }
  /** If nothing is there. `did`: undefined where it was not told. */
  | { readonly kind: 'create'; readonly value: string; readonly did: boolean | undefined }
  /** If `of` is there. */
  | { readonly kind: 'replace'; readonly value: string; readonly of: string; readonly did: boolean | undefined };

export type Entry = Operation<Step>;

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
      const does = step.kind === 'create' ? state === '' : state === step.of;
      if (step.did !== undefined && step.did !== does) return undefined;
      return does ? step.value : state;
    }
  }
}

/** Nobody was told how it ended: it may have happened at any later time, once or never. */
export function isUnknown({ answered }: Entry): boolean {
  return answered === Number.POSITIVE_INFINITY;
}

/** What it writes if it does; undefined: nothing. A deletion writes the empty text. */
export function writes(step: Step): string | undefined {
  if (step.kind === 'read' || ('did' in step && step.did === false)) return undefined;
  return step.kind === 'delete' ? '' : step.value;
}

/** What it left or met; nothing, of a condition that was refused. */
export function shownBy({ called, answered, step }: Entry): readonly Shown[] {
  if (step.kind === 'read') return [{ called, answered, value: step.got ?? '', isWrite: false }];
  const value = writes(step);
  return value === undefined ? [] : [{ called, answered, value, isWrite: true }];
}
