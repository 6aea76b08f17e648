// The settings of a described kind as an input gives them: references become global ids, under the names of the input's fields.
import { encodeId } from '../../values/ids.ts';
import type { JsonObject, JsonValue } from '../../values/json.ts';
import type { DescribedKind } from './kind.ts';
import { idFieldOf } from './text.ts';

/** The opposite of `givenFields`. Fields that the spec lacks are left out. */
export function inputOf({ fields }: Pick<DescribedKind, 'fields'>, spec: JsonObject): JsonObject {
  const given = Object.entries(fields).flatMap(([name, field]): [string, JsonValue][] => {
    const value = spec[name];
    if (value === undefined) return [];
    const { refersTo } = field;
    return refersTo === undefined ? [[name, value]] : [[idFieldOf(name, field), globalIds(refersTo, value)]];
  });
  return Object.fromEntries(given);
}

function globalIds(type: string, value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map((each: JsonValue) => globalIds(type, each));
  return value === null ? null : encodeId(type, String(value));
}
