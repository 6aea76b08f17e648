// The faults of each field of each kind of part that pass GraphQL's own validation. They are derived from the field's
// own description, so a new kind or field has its cases automatically.
import { idFieldOf } from '../../../../platform/graph/described/text.ts';
import type { JsonObject, JsonValue } from '../../../../platform/values/json.ts';
import type { PartName } from '../../../../subgraphs/loadbalancer/spec/part-kind.ts';
import { partKinds } from '../../../../subgraphs/loadbalancer/spec/parts.ts';

interface FieldFault {
  readonly what: string;
  readonly change: JsonObject;
  readonly code: string;
  /** The field's name in the part's own input. */
  readonly field: string;
}

const long = 'x'.repeat(70_000);

export function faultsOfKind(name: PartName): readonly FieldFault[] {
  const { fields } = partKinds[name];
  return Object.entries(fields).flatMap(([field, described]) => {
    if (described.refersTo === undefined) return faultsOf(field, described.schema);
    const inputName = idFieldOf(field, described);
    const isList = described.type.startsWith('[');
    const fault = (what: string, id: string): FieldFault => ({
      ...{ what: `${field}: ${what}`, change: { [inputName]: isList ? [id] : id }, code: 'NOT_FOUND' },
      field: isList ? `${inputName}.0` : inputName,
    });
    return [fault('no id', 'no id'), fault('a very long id', long)];
  });
}

function faultsOf(path: string, schema: JsonObject, wrap = (value: JsonValue) => ({ [path]: value })): FieldFault[] {
  const fault = (what: string, value: JsonValue, code = 'INVALID_INPUT', at = path): FieldFault => ({
    ...{ what: `${path}: ${what}`, change: wrap(value) as JsonObject, code, field: at },
  });
  if (schema.type === 'integer' && Array.isArray(schema.enum)) return [fault('another number', 304)];
  if (schema.enum !== undefined || schema.type === 'boolean') return [];
  if (schema.type === 'integer') {
    const { minimum, maximum } = schema as { minimum: number; maximum: number };
    return [fault('too small', minimum - 1), fault('too large', maximum + 1)];
  }
  if (schema.type === 'string') {
    const texts = [
      fault('a control character', 'a\u0007b'),
      fault('a line break and a directive', 'a\nserver x 192.0.2.1:1'),
      fault('too long', long, 'TOO_LONG'),
    ];
    const pem = String(schema.pattern ?? '').includes('\\r\\n');
    const cases = pem ? [fault('no PEM', 'PEM'), ...texts] : texts;
    return typeof schema.minLength === 'number' && schema.minLength > 0 ? [...cases, fault('empty', '')] : cases;
  }
  if (schema.type === 'array') {
    const { items, maxItems } = schema as { items: JsonObject; maxItems: number };
    const entries = faultsOf('x', items).map(({ what, change, code }) =>
      fault(what.replace('x: ', ''), [change.x ?? null], code, `${path}.0`),
    );
    if (items.enum !== undefined) {
      const [one] = items.enum as readonly string[];
      return [fault('twice the same', [one ?? '', one ?? ''])];
    }
    const many = Array.from({ length: maxItems + 1 }, (_, at) =>
      items.format === undefined ? `t${at}` : `10.${at >> 8}.${at & 255}.1`,
    );
    return [...entries, fault('too many', many, 'TOO_LONG')];
  }
  if (schema.type === 'object')
    return Object.entries(schema.properties as Record<string, JsonObject>).flatMap(([name, own]) =>
      faultsOf(`${path}.${name}`, own, (value) => ({ [path]: { type: 'APP_COOKIE', cookieName: 'c', [name]: value } })),
    );
  return [];
}
