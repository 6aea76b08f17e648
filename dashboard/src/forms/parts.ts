// The kinds of parts that an object of a kind may have. No DOM here.
import { registry } from '../../../generated/kinds/registry.ts';
import type { Kind } from '../../../schema/kinds/kind.ts';
import { makingVerb } from './form-address.ts';

interface PartKind {
  readonly part: Kind;
  /** The field with the id of the object. */
  readonly input: string;
}

export function partsOf({ type }: Kind): readonly PartKind[] {
  return Object.values(registry.kinds).flatMap((part) =>
    part.parent?.kind === type && makingVerb(part) !== undefined ? [{ part, input: part.parent.input }] : [],
  );
}
