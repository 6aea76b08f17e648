// An object of the graph in the form of an input that would create it: links as ids, a union by the field that sets it. Omits values that the graph
// does not show, such as secrets. Pure.
import { registry } from '../../generated/kinds/registry.ts';
import { isObject, type JsonObject, type JsonValue } from '../../platform/values/json.ts';
import { type InputField, type OutputField, upperFirst } from '../../schema/kinds/kind.ts';

/** `refer`: the form of a link. Default: its id. */
export function asInput(
  input: string,
  fields: readonly OutputField[],
  object: JsonObject,
  refer: (link: JsonObject, kind: string) => JsonValue = ({ id }) => id ?? null,
): JsonObject {
  const made: Record<string, JsonValue> = {};
  for (const field of registry.inputs[input]?.fields ?? []) {
    const output = shownField(fields, field);
    if (output === undefined || field.secret === true || field.tree === true) continue;
    const value = object[output.name];
    if (value !== undefined) made[field.name] = memberOf(field, output, value, refer);
  }
  return made;
}

/** The field of the type that shows what a field of the input sets. */
export function shownField(
  fields: readonly OutputField[],
  { name, type, refersTo }: InputField,
): OutputField | undefined {
  const link = name.replace(/Id(s?)$/, '$1');
  // `limit` is the effective value, and `ownLimit` the configured one.
  const own = `own${upperFirst(name)}`;
  const candidates =
    refersTo === undefined && type !== 'ID' ? [own, name, `${name}Name`] : [link, link.replace(/ys$/, 'ies')];
  const [exact] = candidates.flatMap((candidate) => fields.find((each) => each.name === candidate) ?? []);
  if (exact !== undefined || refersTo === undefined) return exact;
  // followedLoadBalancer for loadBalancerId.
  return fields.find((each) => each.refersTo === refersTo && each.name.toLowerCase().endsWith(link.toLowerCase()));
}

type Refer = NonNullable<Parameters<typeof asInput>[3]>;

function memberOf(field: InputField, output: OutputField, value: JsonValue, refer: Refer): JsonValue {
  if (value === null) return null;
  if (Array.isArray(value)) return value.map((each: JsonValue) => memberOf(field, output, each, refer));
  if (!isObject(value)) return value;
  // In a tree a part is given by name, in the input of a part by id.
  const kind = field.refersTo ?? output.refersTo;
  if (kind !== undefined) return refer(value, kind);
  // An object of any kind.
  if (field.type === 'ID') return value.id ?? null;
  if (output.variants !== undefined) {
    const variant = output.variants.find(({ type }) => type === value.__typename);
    const into = registry.inputs[field.type]?.fields.find(({ name }) => name === variant?.as);
    if (variant === undefined || into === undefined) return null;
    const known = registry.inputs[into.type];
    // An input without fields of its own takes the object as it is.
    if (known === undefined) return { [into.name]: firstOf(value) };
    return { [into.name]: withoutNulls(asInput(into.type, variant.fields, value, refer)) };
  }
  return output.fields === undefined ? value : withoutNulls(asInput(field.type, output.fields, value, refer));
}

function firstOf({ __typename: _type, ...value }: JsonObject): JsonValue {
  return Object.values(value)[0] ?? null;
}

/** Inside an object, null equals an omitted field. */
function withoutNulls(value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null && member !== undefined));
}

/** Merges the members of both. If exactly one may be given, the new one replaces the other. */
export function mergedInput(type: string | undefined, before: JsonValue, given: JsonValue): JsonValue {
  if (!isObject(before) || !isObject(given)) return given;
  const { fields, oneOf } = registry.inputs[type ?? ''] ?? {};
  const [alone] = Object.keys(given);
  const kept = oneOf === true ? Object.keys(before).filter((name) => name === alone) : Object.keys(before);
  return Object.fromEntries(
    [...new Set([...kept, ...Object.keys(given)])].map((name) => {
      const inner = fields?.find((each) => each.name === name)?.type;
      return [
        name,
        given[name] === undefined ? before[name] : mergedInput(inner, before[name] ?? null, given[name] ?? null),
      ];
    }),
  );
}
