// What clients of the trial did to a name, and what they were told. Every value is written once, so that a reader's answer says whose write
// it saw.
import type { Step as ModelStep } from '../objects-model/history.ts';
import type { Operation } from '../objects-model/linearizable.ts';

type Of<Kind extends ModelStep['kind']> = Extract<ModelStep, { readonly kind: Kind }>;

export type Step =
  | Of<'put' | 'delete' | 'create'>
  /** `listed`: a listing told it. */
  | (Of<'read'> & { readonly listed?: boolean })
  | (Of<'replace'> & { readonly of: string });

export type Entry = Operation<Step>;
