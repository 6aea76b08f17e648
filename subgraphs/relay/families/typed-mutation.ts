// A typed mutation: the common input of a family's devices. Each driver of the family names in `typed` its own operation for it.

import type { Fields } from '../../../platform/graph/fields.ts';
import type { ArgumentFault, Family, JsonObject } from '../drivers/driver.ts';

export interface TypedMutation {
  /** Its name in the graph, for example firewallRuleCreate. */
  readonly name: string;
  readonly family: Family;
  /** Its effect, in one line. */
  readonly summary: string;
  /** The input's own fields, in addition to those of all calls. */
  readonly fields: Fields;
  /** Several CMP objects may own the object that it creates. */
  readonly shareable?: boolean;
  /** Faults in the combination of fields; for input whose fields are valid. */
  refine?(input: JsonObject): readonly ArgumentFault[];
}

/** A fault unless exactly one of the fields is given. */
export function exactlyOne(input: JsonObject, names: readonly string[]): ArgumentFault[] {
  const given = names.filter((name) => input[name] !== undefined);
  if (given.length === 1) return [];
  return [{ path: [given[1] ?? names[0] ?? ''], message: `give exactly one of ${names.join(', ')}` }];
}
