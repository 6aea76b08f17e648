// A kind of part of a load balancer: listener, pool, member, and so on. Each is described once; its types in the graph, the check of its
// input, its stored form and what a node is told of it all follow from that description.
import type { Field } from '../../../platform/graph/fields.ts';
import type { JsonObject, JsonValue } from '../../../platform/json.ts';
import type { SchemaFault } from '../../../platform/json-schema.ts';

/** In the order in which they are created: a part refers only to parts of earlier kinds. */
export const partNames = ['Pool', 'Member', 'HealthMonitor', 'Listener', 'L7Policy', 'L7Rule'] as const;
export type PartName = (typeof partNames)[number];

export interface PartField extends Field {
  /** The value of a field that was left out. Absent: null. */
  readonly default?: JsonValue;
  /** Cannot be changed once the part exists. */
  readonly fixed?: true;
  /** Its value is the id of such an object, or a list of ids. */
  readonly refersTo?: PartName | 'TlsCertificate';
  /** Octavia's attribute. Absent: it has none. */
  readonly octavia?: string;
  /** Octavia's values that are refused with NOT_SUPPORTED. */
  readonly notOffered?: readonly string[];
}

export interface PartFault extends SchemaFault {
  /** Octavia has it, and it is not offered here. */
  readonly notOffered?: true;
}

/** Settings of a part, by field; all fields are present, null where nothing is set. */
export type PartSpec = JsonObject;

export interface PartKind {
  readonly name: PartName;
  /** What it is, in one sentence. */
  readonly description: string;
  readonly parent: PartName | 'LoadBalancer';
  readonly fields: Readonly<Record<string, PartField>>;
  /** At most so many in one parent. */
  readonly most: number;
  /** What may exist only once in the parent, for example a port. */
  unique?(spec: PartSpec): string | undefined;
  /** Its fields: the first is named when it is taken. */
  readonly uniqueFields?: readonly string[];
  /** Faults in the combination of fields; for a spec whose fields are valid. */
  refine?(spec: PartSpec): readonly PartFault[];
}

type Extra = Pick<PartField, 'default' | 'fixed' | 'refersTo' | 'octavia' | 'notOffered'>;

/** @example part(portField('Its port.'), { octavia: 'protocol_port', fixed: true }) */
export function part(field: Field, extra: Extra = {}): PartField {
  return { ...field, ...extra };
}

/** A fault where exactly the kinds of values in `allowed` may have the field. */
export function onlyFor(
  spec: PartSpec,
  field: string,
  by: string,
  allowed: readonly string[],
  options: { readonly required?: boolean } = {},
): SchemaFault[] {
  const given = spec[field] !== null && spec[field] !== undefined;
  const may = allowed.includes(String(spec[by]));
  if (given && !may)
    return [{ path: [field], message: `is only for ${by} ${allowed.join(' and ')}; ${by} is ${String(spec[by])}` }];
  if (!given && may && options.required === true)
    return [{ path: [field], message: `is required for ${by} ${String(spec[by])}` }];
  return [];
}

/** The fault that `read` finds in a field with a text. */
export function textFault(spec: PartSpec, field: string, read: (text: string) => string | undefined): SchemaFault[] {
  const value = spec[field];
  const message = typeof value === 'string' ? read(value) : undefined;
  return message === undefined ? [] : [{ path: [field], message }];
}

/** What is taken, in words: `port 80`. */
export function uniqueWords({ uniqueFields = [] }: PartKind, spec: PartSpec): string {
  return uniqueFields.map((field) => `${field} ${String(spec[field])}`).join(' and ');
}
