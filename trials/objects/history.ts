// Operations of the trial's clients on a name, and their answers. Every value is written only once, so that an answer identifies the write
// that it saw.
import type { Step as ModelStep } from '../objects-model/history.ts';
import type { Operation } from '../objects-model/linearizable.ts';

type Of<Kind extends ModelStep['kind']> = Extract<ModelStep, { readonly kind: Kind }>;

export type Step =
  | Of<'put' | 'delete' | 'create'>
  /** `listed`: the answer was a listing. */
  | (Of<'read'> & { readonly listed?: boolean })
  | (Of<'replace'> & { readonly of: string });

export type Entry = Operation<Step>;
