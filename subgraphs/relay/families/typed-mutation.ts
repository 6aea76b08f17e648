// A typed mutation: what a family's devices have in common, in one input. Each driver of the family says, in `typed`, which
// operation of its own it is there.
import type { ArgumentFault, Family, JsonObject } from '../drivers/driver.ts';
import type { Fields } from './fields.ts';

export interface TypedMutation {
  /** In the graph, for example firewallRuleCreate. */
  readonly name: string;
  readonly family: Family;
  /** What it does, in one line. */
  readonly summary: string;
  /** The input's own fields, beside those that all calls have. */
  readonly fields: Fields;
  /** Several CMP objects may own what it makes. */
  readonly shareable?: boolean;
  /** Faults that one field alone does not show; for input whose fields are sound. */
  refine?(input: JsonObject): readonly ArgumentFault[];
}

/** A fault unless exactly one of the fields is given. */
export function exactlyOne(input: JsonObject, names: readonly string[]): ArgumentFault[] {
  const given = names.filter((name) => input[name] !== undefined);
  if (given.length === 1) return [];
  return [{ path: [given[1] ?? names[0] ?? ''], message: `give exactly one of ${names.join(', ')}` }];
}
