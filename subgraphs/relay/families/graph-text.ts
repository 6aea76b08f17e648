// The typed mutations as SDL: schema/relay.made.graphql.
import {
  booleanField,
  definitionsOf,
  type Fields,
  fieldsText,
  integerField,
  quoted,
  required,
} from '../../../platform/graph/fields.ts';
import type { TypedMutation } from './typed-mutation.ts';

function given(type: string, description: string) {
  return { type, description, required: false, schema: {}, definitions: new Map<string, string>() };
}

const before: Fields = {
  idempotencyKey: required(
    given('String', 'A repeated request with the same key never makes a second call. 1 to 255 printable characters.'),
  ),
  projectId: given('ID', 'The project. Optional for callers with one project.'),
  backend: required(given('BackendSelector', 'The backend.')),
  cmpObject: given('MappingCmpObjectInput', 'The CMP object for which the call is made.'),
};

const after: Fields = {
  waitMs: {
    ...integerField(
      'How long to wait for the outcome, also of a job that the backend starts, in milliseconds, 0 to 120000.',
      0,
      120_000,
    ),
    type: 'Int = 30000',
  },
  deadlineMs: integerField(
    "The call's deadline from its first byte, in milliseconds. Default and maximum: the backend's.",
    0,
    0,
  ),
  force: {
    ...booleanField(
      'True: sends the call even if the outcome of an earlier call on the same object is UNKNOWN. Operators only.',
    ),
    type: 'Boolean = false',
  },
  dryRun: {
    ...booleanField(
      "True: changes nothing. Returns the call that would be sent and, where the device has a check of its own, the check's result.",
    ),
    type: 'Boolean = false',
  },
};

const shared: Fields = {
  shared: { ...booleanField('True: several CMP objects may own the backend object.'), type: 'Boolean = false' },
};

export function graphTextOf(mutations: readonly TypedMutation[]): string {
  const definitions = new Map(mutations.flatMap(({ fields }) => [...definitionsOf(fields)]));
  const inputs = mutations.map((mutation) => {
    const fields = { ...before, ...mutation.fields, ...(mutation.shareable ? shared : {}), ...after };
    return `${quoted(mutation.summary)}\ninput ${inputName(mutation.name)} {\n${fieldsText(fields)}}\n`;
  });
  const fields = mutations.map(
    ({ name, summary }) => `  ${quoted(summary)}\n  ${name}(input: ${inputName(name)}!): RelayPayload!\n`,
  );
  return [...definitions.values(), ...inputs, `extend type Mutation {\n${fields.join('')}}\n`].join('\n');
}

function inputName(mutation: string): string {
  return `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
}
