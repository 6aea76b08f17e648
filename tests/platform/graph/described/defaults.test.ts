// A default has one source: graphql-js reads it from the SDL, and the validation fills in the same value.
import { expect, test } from '@jest/globals';
import {
  buildSchema,
  coerceInputValue,
  type GraphQLNamedType,
  introspectionFromSchema,
  isInputObjectType,
} from 'graphql';
import { objectField } from '../../../../platform/graph/described/fields.ts';
import type { DescribedKind } from '../../../../platform/graph/described/kind.ts';
import { readSpec } from '../../../../platform/graph/described/spec.ts';
import { idFieldOf, inputText } from '../../../../platform/graph/described/text.ts';
import {
  booleanField,
  definitionsOf,
  enumField,
  integerField,
  listField,
  required,
  textField,
} from '../../../../platform/graph/fields.ts';
import { readSupergraph } from '../../../../platform/graph/generated-schema.ts';
import { apiSchemaOf } from '../../../../platform/graph/sdl.ts';
import type { JsonObject } from '../../../../platform/values/json.ts';
import { describedKinds } from '../../../../subgraphs/gslb/spec/kinds.ts';
import { partNames } from '../../../../subgraphs/loadbalancer/spec/part-kind.ts';
import { partKinds } from '../../../../subgraphs/loadbalancer/spec/parts.ts';

const mode = { name: 'Mode', description: 'How it works.', values: { FAST: 'Fast.', SLOW: 'Slow.' } } as const;
const share = {
  name: 'Share',
  description: 'A number or a share.',
  fields: { count: integerField('A number.', 1, 100), percent: integerField('A share.', 1, 100) },
  oneOf: true,
} as const;
const options = {
  name: 'Options',
  description: 'Settings of the mode.',
  fields: {
    mode: { ...enumField('How it works.', mode), default: 'FAST' },
    delayMs: integerField('A delay.', 0, 1_000),
  },
};
const kind: DescribedKind = {
  name: 'Thing',
  description: 'A thing.',
  fields: {
    name: required(textField('Its name.', 63, 1)),
    text: { ...textField('A text.', 63), default: 'with "quotes"' },
    count: { ...integerField('A number.', 1, 10), default: 3 },
    enabled: { ...booleanField('A switch.'), default: false },
    modes: { ...listField(enumField('How it works.', mode), 'Modes.'), default: ['FAST', 'SLOW'] },
    names: { ...listField(textField('A name.', 63), 'Names.'), default: [] },
    options: { ...objectField('Settings.', options), default: { mode: 'SLOW', delayMs: 5 } },
    share: objectField('A share.', share),
  },
};
const sdl = [
  'type Query { thing: Int }',
  ...definitionsOf(kind.fields).values(),
  inputText('ThingCreateInput', 'A new thing.', kind.fields),
].join('\n');
const schema = buildSchema(sdl);

/** The value as a client's variable. */
function coerced(value: object): JsonObject {
  const type = schema.getType('ThingCreateInput');
  if (!isInputObjectType(type)) throw new Error('no such input');
  return JSON.parse(JSON.stringify(coerceInputValue(value, type))) as JsonObject;
}

function faultsOf(given: JsonObject): readonly string[] {
  const read = readSpec(kind, given);
  return read.ok ? [] : read.faults.map(({ path, message }) => `${path.join('.')} ${message}`);
}

test('the SDL has the literals of all types', () => {
  expect(sdl).toContain('text: String = "with \\"quotes\\""');
  expect(sdl).toContain('count: Int = 3');
  expect(sdl).toContain('enabled: Boolean = false');
  expect(sdl).toContain('modes: [Mode!] = [FAST, SLOW]');
  expect(sdl).toContain('names: [String!] = []');
  expect(sdl).toContain('options: OptionsInput = {mode: SLOW, delayMs: 5}');
  expect(sdl).toContain('input ShareInput @oneOf {');
  // A field with a default always has a value, and output types have no defaults.
  expect(sdl).toContain('mode: Mode!\n');
});

test.each([{ name: 'a' }, { name: 'a', options: {} }, { name: 'a', share: { count: 1 } }])(
  'the gateway and the validation fill in the same spec %#',
  (given: JsonObject) => {
    expect(readSpec(kind, coerced(given))).toEqual(readSpec(kind, given));
    expect(readSpec(kind, given)).toMatchObject({ ok: true, spec: { count: 3 } });
  },
);

test('an empty list is allowed where it is the default', () => {
  expect(faultsOf({ name: 'a', names: [] })).toEqual([]);
  expect(faultsOf({ name: 'a', modes: [] })).toHaveLength(1);
});

test('both or no members of a @oneOf are a fault, even without graphql-js', () => {
  expect(faultsOf({ name: 'a', share: {} })).toHaveLength(1);
  expect(faultsOf({ name: 'a', share: { count: 1, percent: 1 } })).toHaveLength(1);
  expect(() => coerced({ name: 'a', share: { count: 1, percent: 1 } })).toThrow(/Exactly one key must be specified/);
});

test('every default of a described kind is in the SDL of its create input, and in no update input', () => {
  const graph = apiSchemaOf(readSupergraph());
  expect(() => introspectionFromSchema(graph)).not.toThrow();
  const kinds = [...describedKinds, ...partNames.map((name) => partKinds[name])];
  expect(kinds.length).toBeGreaterThan(10);
  for (const { name, fields } of kinds) {
    const create = inputFieldsOf(graph.getType(`${name}CreateInput`));
    const update = inputFieldsOf(graph.getType(`${name}UpdateInput`));
    for (const [key, one] of Object.entries(fields)) {
      const field = one.refersTo === undefined ? key : idFieldOf(key, one);
      const { default: value } = one;
      if (value === undefined || value === null || one.type === 'JSON') continue;
      expect({ name, field, value: create[field] }).toMatchObject({ name, field, value });
      expect([name, field, update[field]]).toEqual([name, field, undefined]);
    }
  }
});

function inputFieldsOf(type: GraphQLNamedType | undefined): Readonly<Record<string, unknown>> {
  if (!isInputObjectType(type)) throw new Error(`${String(type)} is not an input`);
  return Object.fromEntries(Object.values(type.getFields()).map(({ name, defaultValue }) => [name, defaultValue]));
}
