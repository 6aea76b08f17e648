// The typed mutations as SDL: generated/schema/relay.made.graphql.
import {
  booleanField,
  definitionsOf,
  type Fields,
  fieldsText,
  integerField,
  quoted,
  required,
} from '../../../platform/graph/fields.ts';
import { type Terms, termsText } from '../../../platform/graph/terms.ts';
import type { TypedMutation } from './typed-mutation.ts';

function given(type: string, description: string) {
  return { type, description, required: false, schema: {}, definitions: new Map<string, string>() };
}

const before: Fields = {
  idempotencyKey: required(
    given('String', 'A repeated request with the same key never makes a second call. 1 to 255 printable characters.'),
  ),
  projectId: given('ID', 'The project. Optional for callers with one project.'),
  backend: required(given('BackendSelector', 'The backend that is called.')),
  cmpObject: given('MappingCmpObjectInput', 'The CMP object for which the call is made.'),
};

const after: Fields = {
  waitMs: {
    ...integerField(
      'How long to wait for the outcome, including that of a job on the backend, 0 to 120000 milliseconds.',
      0,
      120_000,
    ),
    default: 30_000,
  },
  deadlineMs: integerField(
    "The call's deadline from its first byte, in milliseconds. Default and maximum: the backend's deadline.",
    0,
    0,
  ),
  force: {
    ...booleanField(
      'If true, sends the call even if the outcome of an earlier call on the same object is UNKNOWN. Role: OPERATOR.',
    ),
    default: false,
  },
  dryRun: {
    ...booleanField(
      "True: changes nothing. Returns the call that would be sent and, where the device has a check of its own, the check's result.",
    ),
    default: false,
  },
};

const shared: Fields = {
  shared: { ...booleanField('If true, several CMP objects may own the backend object.'), default: false },
};

/** Error codes of every typed mutation. Mutations differ only in what the device refuses, which is not a user error. */
const terms: Terms = {
  role: 'MEMBER',
  refuses: [
    ...(['NOT_FOUND', 'PROJECT_REQUIRED', 'AMBIGUOUS', 'NOT_SUPPORTED', 'BACKEND_DISABLED'] as const),
    ...(['HOST_KEY_UNKNOWN', 'CERTIFICATE_UNKNOWN', 'CIRCUIT_OPEN', 'CREDENTIALS_UNUSABLE'] as const),
    ...(['ALREADY_MAPPED', 'OBJECT_BUSY', 'UNSETTLED_PREDECESSOR', 'REPLAY_UNCERTAIN', 'INIT_NOT_ALLOWED'] as const),
  ],
};

export function graphTextOf(mutations: readonly TypedMutation[]): string {
  const definitions = new Map(mutations.flatMap(({ fields }) => [...definitionsOf(fields)]));
  const inputs = mutations.map((mutation) => {
    const fields = { ...before, ...mutation.fields, ...(mutation.shareable ? shared : {}), ...after };
    return `${quoted(mutation.summary)}\ninput ${inputName(mutation.name)} {\n${fieldsText(fields)}}\n`;
  });
  const fields = mutations.map(
    ({ name, summary }) =>
      `  ${quoted(summary)}\n  ${name}(input: ${inputName(name)}!): RelayPayload @semanticNonNull ${termsText(terms)}\n`,
  );
  const made = mutations.filter(({ makes }) => makes !== undefined);
  return [
    ...definitions.values(),
    ...inputs,
    ...made.map(objectText),
    unionText(made),
    `extend type Mutation {\n${fields.join('')}}\n`,
  ].join('\n');
}

/** All fields are nullable, because an object that was created outside of the product may lack any of them. Secrets are never shown. */
function objectText({ makes, fields }: TypedMutation): string {
  const shown = Object.entries(fields).filter(([, { schema }]) => schema.writeOnly !== true);
  const own = shown.map(([name, { description, type }]) => {
    const meaning = description.replace(/Default: /g, 'Null: ');
    return `  ${quoted(meaning)}\n  ${name}: ${type.replace(/Input$/, '')}\n`;
  });
  return `${quoted(makes?.description ?? '')}\ntype ${makes?.type} {\n${own.join('')}}\n`;
}

function unionText(made: readonly TypedMutation[]): string {
  const description =
    'An object on a backend, in the terms of the mutation that creates such objects. New types may be added.';
  return `${quoted(description)}\nunion MappingObject = ${made.map(({ makes }) => makes?.type).join(' | ')}\n`;
}

function inputName(mutation: string): string {
  return `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
}
