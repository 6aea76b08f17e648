// From the input of a mutation to the spec of a described kind: every field present, defaults filled in, all faults at once.
import type { JsonObject, JsonValue } from '../../json.ts';
import { validateObject } from '../../json-schema.ts';
import type { DescribedFault, DescribedKind, DescribedSpec } from './kind.ts';

export type ReadSpec =
  | { readonly ok: true; readonly spec: DescribedSpec }
  | { readonly ok: false; readonly faults: readonly DescribedFault[] };

const schemas = new WeakMap<DescribedKind, JsonObject>();

/** `given`: values by field, those of references as UUIDs. Null and left out mean the default. */
export function readSpec(kind: DescribedKind, given: JsonObject): ReadSpec {
  const checked = validateObject(schemaOf(kind), withoutNulls(given));
  if (!checked.ok) return checked;
  const spec = Object.fromEntries(
    Object.keys(kind.fields).map((name) => [name, (checked.args[name] ?? null) as JsonValue]),
  );
  const notOffered = Object.entries(kind.fields)
    .filter(([name, field]) => field.notOffered?.includes(String(spec[name])))
    .map(([name]) => ({
      path: [name],
      message: `is ${String(spec[name])}, which is not offered`,
      notOffered: true as const,
    }));
  if (notOffered.length > 0) return { ok: false, faults: notOffered };
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
  let schema = schemas.get(kind);
  if (schema === undefined) {
    const entries = Object.entries(kind.fields);
    const properties = Object.fromEntries(
      entries.map(([name, field]) => [
        name,
        field.default === undefined || field.default === null
          ? field.schema
          : { ...withoutMinimum(field.schema), default: field.default },
      ]),
    );
    const required = entries.filter(([, field]) => field.required).map(([name]) => name);
    schema = { type: 'object', properties, required, additionalProperties: false };
    schemas.set(kind, schema);
  }
  return schema;
}

/** A list with a default may be empty. */
function withoutMinimum({ minItems: _, ...schema }: JsonObject): JsonObject {
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
