// Which field of a form a refusal of the server belongs to. No DOM here.
import type { RefusalFragment } from '../../../generated/dashboard/graphql.ts';
import type { FieldFault } from './draft.ts';
import { formFields } from './draft.ts';

export interface PlacedRefusals {
  readonly atFields: readonly FieldFault[];
  /** Faults that belong to no shown field. */
  readonly others: readonly RefusalFragment[];
}

export function placeRefusals(input: string, refusals: readonly RefusalFragment[]): PlacedRefusals {
  const shown = new Set(formFields(input).map(({ name }) => name));
  const isPlaced = ({ field }: RefusalFragment) => field.length > 1 && shown.has(field[1] ?? '');
  return {
    atFields: refusals.filter(isPlaced).map(({ field, message }) => ({ path: field.slice(1), message })),
    others: refusals.filter((each) => !isPlaced(each)),
  };
}

/** Those at a field, and those inside it that no field of its own shows. */
export function faultsAt(faults: readonly FieldFault[], path: readonly string[], isLeaf: boolean): readonly string[] {
  return faults
    .filter(({ path: at }) => {
      const isHere = path.length <= at.length && path.every((part, index) => at[index] === part);
      return isHere && (isLeaf || at.length === path.length);
    })
    .map(({ message }) => message);
}
