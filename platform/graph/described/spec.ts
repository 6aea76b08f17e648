// From the input of a mutation to the spec of a described kind: every field present, defaults filled in, all faults at once.

import { type SchemaFault, validateObject } from '../../input/json-schema.ts';
import type { JsonObject, JsonValue } from '../../values/json.ts';
import { objectSchema } from '../fields.ts';
import type { DescribedKind, DescribedSpec } from './kind.ts';

type ReadSpec =
  | { readonly ok: true; readonly spec: DescribedSpec }
  | { readonly ok: false; readonly faults: readonly SchemaFault[] };

const schemas = new WeakMap<DescribedKind, JsonObject>();

/** `given`: values by field, with references as UUIDs. A null or missing value means the default. */
export function readSpec(kind: DescribedKind, given: JsonObject): ReadSpec {
  const checked = validateObject(schemaOf(kind), withoutNulls(given));
  if (!checked.ok) return checked;
  const spec = Object.fromEntries(
    Object.keys(kind.fields).map((name) => [name, (checked.args[name] ?? null) as JsonValue]),
  );
  const faults = kind.refine?.(spec) ?? [];
  return faults.length > 0 ? { ok: false, faults } : { ok: true, spec };
}

/** UUIDs of the objects to which a spec refers, by field. */
export function referencesOf(
  kind: DescribedKind,
  spec: DescribedSpec,
): readonly {
  readonly field: string;
  readonly type: string;
  readonly ids: readonly string[];
}[] {
  return Object.entries(kind.fields).flatMap(([field, { refersTo }]) => {
    const value = spec[field] ?? null;
    if (refersTo === undefined || value === null) return [];
    return [{ field, type: refersTo, ids: (Array.isArray(value) ? value : [value]) as readonly string[] }];
  });
}

function schemaOf(kind: DescribedKind): JsonObject {
  const schema = schemas.get(kind) ?? objectSchema(kind.fields);
  schemas.set(kind, schema);
  return schema;
}

function withoutNulls(value: JsonObject): JsonObject {
  const members = Object.entries(value).filter(([, member]) => member !== null && member !== undefined);
  return Object.fromEntries(
    members.map(([name, member]) => [name, isPlain(member) ? withoutNulls(member) : member] as const),
  );
}

function isPlain(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
