// A typed mutation: the common input of a family's devices. Each driver of the family names its own operation for it in `typed`.

import type { Fields } from '../../../platform/graph/fields.ts';
import type { ArgumentFault, Family, JsonObject } from '../drivers/driver.ts';

export interface TypedMutation {
  /** Its name in the graph, for example firewallRuleCreate. */
  readonly name: string;
  readonly family: Family;
  /** Its effect, in one line. */
  readonly summary: string;
  /** The input's own fields, in addition to the fields of all calls. */
  readonly fields: Fields;
  /** The type of the object that it creates, as mappings show it. Absent if it creates none. */
  readonly makes?: { readonly type: string; readonly description: string };
  /** Several CMP objects may own the object that it creates. */
  readonly shareable?: boolean;
  /** Faults in the combination of fields; for input whose fields are valid. */
  refine?(input: JsonObject): readonly ArgumentFault[];
}
