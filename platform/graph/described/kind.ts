// A kind of object with many settings, described once: its types in the graph, the check of its input and its stored form all follow from
// that description.

import type { SchemaFault } from '../../input/json-schema.ts';
import type { JsonObject } from '../../values/json.ts';
import type { Field } from '../fields.ts';

export interface DescribedField extends Field {
  /** Cannot be changed once the object exists. */
  readonly fixed?: true;
  /** Its value is the id of such an object, or a list of ids. */
  readonly refersTo?: string;
  /** Its name and type in the type of the graph, where these differ from those of the inputs. */
  readonly shownAs?: { readonly name: string; readonly type: string; readonly description: string };
}

/** Settings of an object, by field; all fields are present, null where nothing is set. */
export type DescribedSpec = JsonObject;

export interface DescribedKind {
  /** Its type in the graph. */
  readonly name: string;
  /** Describes the kind in one sentence. */
  readonly description: string;
  readonly fields: Readonly<Record<string, DescribedField>>;
  /** Returns a key that may exist only once in the parent, for example a port. */
  unique?(spec: DescribedSpec): string | undefined;
  /** The fields of that key. The error names the first field if the key is taken. */
  readonly uniqueFields?: readonly string[];
  /** Faults in the combination of fields; for a spec whose fields are valid. */
  refine?(spec: DescribedSpec): readonly SchemaFault[];
}

/** A fault where exactly the kinds of values in `allowed` may have the field. */
export function onlyFor(
  spec: DescribedSpec,
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
export function textFault(
  spec: DescribedSpec,
  field: string,
  read: (text: string) => string | undefined,
): SchemaFault[] {
  const value = spec[field];
  const message = typeof value === 'string' ? read(value) : undefined;
  return message === undefined ? [] : [{ path: [field], message }];
}

/** Describes the taken key in words: `port 80`. */
export function uniqueWords({ uniqueFields = [] }: DescribedKind, spec: DescribedSpec): string {
  return uniqueFields.map((field) => `${field} ${String(spec[field])}`).join(' and ');
}
