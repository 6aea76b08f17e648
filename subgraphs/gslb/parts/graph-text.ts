// GSLB objects as SDL: schema/gslb.made.graphql. Each kind becomes a type, its inputs, and the mutations to create, update and delete it.
import type { DescribedField } from '../../../platform/graph/described/kind.ts';
import {
  connectionText,
  expectedVersionField,
  idempotencyKeyField,
  idField,
  idFieldOf,
  inputText,
  lower,
  payloadText,
  typeFields,
  upper,
  withDefault,
} from '../../../platform/graph/described/text.ts';
import { definitionsOf, type Fields, quoted, required, textField } from '../../../platform/graph/fields.ts';
import type { GslbKind } from './kind.ts';
import { describedKinds } from './kinds.ts';

export function gslbGraphText(): string {
  const definitions = new Map(
    describedKinds.flatMap(({ fields, createFields = {} }) => [
      ...definitionsOf(fields),
      ...definitionsOf(createFields),
    ]),
  );
  return [...definitions.values(), ...describedKinds.flatMap(textsOf), rootText()].join('\n');
}

function textsOf(kind: GslbKind): string[] {
  const [article, what] = kind.words;
  const who = kind.owner === 'PROJECT' ? 'Members only.' : 'Administrators only.';
  const common = { idempotencyKey: idempotencyKeyField };
  const named = { id: required(idField(`The ${what}.`)), expectedVersion: expectedVersionField(what) };
  const settings = Object.entries(kind.fields).map(([name, field]) => [name, field] as const);
  const changeable = settings.filter(([, field]) => field.fixed !== true);
  return [
    typeText(kind),
    connectionText(kind.name, what),
    inputText(`${kind.name}CreateInput`, `A new ${what}. ${who}`, {
      ...common,
      ...placeFields(kind),
      ...Object.fromEntries(settings.map(([name, field]) => inputOf(name, field))),
      ...kind.createFields,
    }),
    inputText(
      `${kind.name}UpdateInput`,
      `A change of ${article} ${what}. An omitted field keeps its value; null sets its default. ${who}`,
      {
        ...common,
        ...named,
        ...Object.fromEntries(changeable.map(([name, field]) => inputOf(name, { ...field, required: false }))),
        ...kind.updateFields,
      },
    ),
    inputText(`${kind.name}DeleteInput`, `The deletion of ${article} ${what}. ${who}`, { ...common, ...named }),
    payloadText(kind.name, what),
  ];
}

/** Where a new object of a project belongs. */
function placeFields({ name, owner }: GslbKind): Fields {
  if (owner === 'ADMINISTRATOR') return {};
  if (name === 'GslbPoolMember') return { poolId: required(idField('The pool.')) };
  const project = { projectId: idField("The project. Default: the caller's only one.") };
  if (name !== 'Gslb') return project;
  return {
    ...project,
    cmpObject: { ...textField('The CMP object for which it is created.', 0), type: 'CmpObjectInput' },
  };
}

function inputOf(name: string, field: DescribedField): readonly [string, DescribedField] {
  const described = withDefault(field);
  if (field.refersTo === undefined) return [name, described];
  return [idFieldOf(name, field), { ...described, type: field.type.startsWith('[') ? '[ID!]' : 'ID' }];
}

function typeText(kind: GslbKind): string {
  const project = kind.owner === 'PROJECT' ? '  "The project to which it belongs."\n  project: Project\n' : '';
  return `${quoted(kind.description)}
type ${kind.name} implements Node @key(fields: "id") {
  "Globally unique and opaque."
  id: ID!
  "Increases by one with every change."
  version: Int!
${project}${typeFields(kind.fields)}${kind.typeFields}  "When it was created."
  createdAt: DateTime!
}
`;
}

function rootText(): string {
  const reads = describedKinds.map(({ name, words: [article, what] }) => {
    const description = quoted(`${upper(`${article} ${what}`)}; null when the caller may not see it.`);
    return `  ${description}\n  ${lower(name)}(id: ID!): ${name}\n`;
  });
  const writes = describedKinds.flatMap(({ name, words: [article, what] }) =>
    [
      ['Create', `Creates ${article} ${what}.`],
      ['Update', `Changes ${article} ${what}.`],
      ['Delete', `Deletes ${article} ${what}.`],
    ].map(
      ([verb, summary]) =>
        `  ${quoted(summary ?? '')}\n  ${lower(name)}${verb}(input: ${name}${verb}Input!): ${name}Payload!\n`,
    ),
  );
  return `extend type Query {\n${reads.join('')}}\n\nextend type Mutation {\n${writes.join('')}}\n`;
}
