// GSLB entities as SDL: generated/schema/gslb.made.graphql. Each kind becomes a type, its inputs, and the mutations to create, update and delete it.
import type { UserErrorCode } from '../../../platform/errors/errors.ts';
import type { DescribedField } from '../../../platform/graph/described/kind.ts';
import {
  connectionText,
  deletePayloadText,
  expectedVersionField,
  idempotencyKeyField,
  idField,
  idFieldOf,
  inputText,
  keptText,
  lower,
  payloadText,
  typeFields,
  upper,
  uptimeFieldText,
} from '../../../platform/graph/described/text.ts';
import {
  definitionsOf,
  type Field,
  type Fields,
  quoted,
  required,
  textField,
  withoutDefault,
} from '../../../platform/graph/fields.ts';
import { termsText } from '../../../platform/graph/terms.ts';
import { parametersText } from './check-parameters.ts';
import type { GslbKind } from './kind.ts';
import { describedKinds } from './kinds.ts';
import { monitor } from './monitor.ts';
import { member, pool } from './pool.ts';

const shownKinds = describedKinds.map(shown);

/** Omits hidden settings. */
function shown(kind: GslbKind): GslbKind {
  const { hidden = [], fields } = kind;
  return { ...kind, fields: Object.fromEntries(Object.entries(fields).filter(([name]) => !hidden.includes(name))) };
}

export function gslbGraphText(): string {
  const definitions = new Map(
    shownKinds.flatMap(({ fields, createFields = {} }) => [...definitionsOf(fields), ...definitionsOf(createFields)]),
  );
  return [...definitions.values(), ...shownKinds.flatMap(textsOf), parametersText(), ...treeTexts(), rootText()].join(
    '\n',
  );
}

function textsOf(kind: GslbKind): string[] {
  const [article, what] = kind.words;
  const who = kind.owner === 'PROJECT' ? 'Role: MEMBER.' : 'Role: ADMINISTRATOR.';
  const common = { idempotencyKey: idempotencyKeyField };
  const named = { id: required(idField(`The global id of the ${what}.`)), expectedVersion: expectedVersionField(what) };
  const settings = Object.entries(kind.fields).map(([name, field]) => [name, field] as const);
  const changeable = settings.filter(([, field]) => field.fixed !== true);
  return [
    typeText(kind),
    connectionText(kind.name, what),
    inputText(`${kind.name}CreateInput`, `A new ${what}. ${who}`, {
      ...common,
      ...placeFields(kind),
      ...Object.fromEntries(settings.map(([name, field]) => inputOf(name, derivable(kind, name, field)))),
      ...(kind.name === 'Gslb' ? { pools: treeField } : {}),
      ...kind.createFields,
    }),
    inputText(`${kind.name}UpdateInput`, `Fields of ${article} ${what} to change. ${keptText} ${who}`, {
      ...common,
      ...named,
      ...Object.fromEntries(
        changeable.map(([name, field]) => inputOf(name, { ...withoutDefault(field), required: false })),
      ),
      ...kind.updateFields,
    }),
    inputText(`${kind.name}DeleteInput`, `Deletes ${article} ${what}. ${who}`, { ...common, ...named }),
    payloadText(kind.name, what),
    deletePayloadText(kind.name, what),
  ];
}

/** Fields of the create input that name the project or pool of a new entity. */
function placeFields({ name, owner }: GslbKind): Fields {
  if (owner === 'ADMINISTRATOR') return {};
  if (name === 'GslbPoolMember') return { poolId: required(idField('The pool of the new member.')) };
  const project = { projectId: idField('The project. Callers with only one project may omit it.') };
  if (name !== 'Gslb') return project;
  return {
    ...project,
    cmpObject: { ...textField('The CMP object for which the GSLB is created.', 0), type: 'CmpObjectInput' },
  };
}

/** Documents the derived value of a setting that a create input may omit. */
function derivable({ derived = [] }: GslbKind, name: string, field: DescribedField): DescribedField {
  if (!derived.includes(name)) return field;
  const description =
    name === 'flavor'
      ? `${field.description} Null for the only flavor, or the one named default.`
      : 'Existing pools, in order of preference, after those of `pools`. Both together are 1 to 16.';
  return { ...field, description, required: false };
}

const treeField: Field = {
  ...textField('New pools with their members and monitors, in order of preference.', 0),
  type: '[GslbPoolTreeInput!]',
  schema: { type: 'array' },
  default: [],
};

/** Inputs of pools, members and monitors that gslbCreate makes with a name. */
function treeTexts(): string[] {
  const settingsOf = ({ fields }: GslbKind, ...without: string[]): Fields =>
    Object.fromEntries(Object.entries(fields).filter(([name]) => !['name', ...without].includes(name)));
  const named = (what: string): Fields => ({
    name: textField(`1 to 63 lower-case letters, digits and inner hyphens. Default: derived from ${what}.`, 63),
  });
  const list = (type: string, description: string): Field => ({
    ...textField(description, 0),
    type: `[${type}!]`,
    schema: { type: 'array' },
  });
  return [
    inputText('GslbPoolTreeInput', 'A new pool of a new GSLB, with its members and monitors.', {
      ...named('the DNS name'),
      ...settingsOf(shown(pool)),
      members: required(list('GslbPoolMemberTreeInput', 'New members of the pool, 1 to 100.')),
      monitors: {
        ...list(
          'GslbMonitorTreeInput',
          'New monitors that check all members, at most 10. One that the project has with the same name and settings is used.',
        ),
        default: [],
      },
    }),
    inputText('GslbPoolMemberTreeInput', 'A new member of a new pool.', {
      ...named('its place in the list'),
      ...settingsOf(shown(member)),
    }),
    inputText('GslbMonitorTreeInput', 'A new monitor of a new pool. gslbMonitorUpdate gives it credentials.', {
      ...named('the pool and the type'),
      ...settingsOf(shown(monitor), 'authHosts'),
    }),
  ];
}

function inputOf(name: string, field: DescribedField): readonly [string, DescribedField] {
  if (field.refersTo === undefined) return [name, field];
  return [idFieldOf(name, field), { ...field, type: field.type.startsWith('[') ? '[ID!]' : 'ID' }];
}

/** Kinds with an operating status. */
const judged: ReadonlySet<string> = new Set(['Gslb', 'GslbPoolMember']);

function typeText(kind: GslbKind): string {
  const project =
    kind.owner === 'PROJECT' ? '  "The project that owns the object."\n  project: Project @semanticNonNull\n' : '';
  return `${quoted(kind.description)}
type ${kind.name} implements Node @key(fields: "id") {
  "Globally unique and opaque."
  id: ID!
  "Increases by one with every change."
  version: Int!
${project}${typeFields(kind.fields)}${kind.typeFields}${judged.has(kind.name) ? uptimeFieldText : ''}  "When it was created."
  createdAt: DateTime!
  "When it last changed, with its version."
  updatedAt: DateTime!
}
`;
}

/** Descriptions of a kind that differ from the general ones. */
const summaries: Readonly<Record<string, { readonly create?: string; readonly delete?: string }>> = {
  Gslb: { delete: '. Its end is a state: it stays readable until no name server answers it.' },
  GslbPool: { delete: ' that no name uses, with its members.' },
  GslbPoolMember: { create: ' in a pool.', delete: ', which is no longer answered.' },
  GslbVantagePoint: { delete: ', whose votes no longer count.' },
};

/** Codes of one kind's mutations in addition to those of all kinds. */
const refused: Readonly<Record<string, Readonly<Record<'Create' | 'Update' | 'Delete', readonly UserErrorCode[]>>>> = {
  Gslb: {
    Create: ['PROJECT_REQUIRED', 'NAME_TAKEN', 'NOT_SUPPORTED', 'LIMIT_REACHED', 'QUOTA_EXCEEDED', 'EGRESS_DENIED'],
    Update: ['NAME_TAKEN', 'NOT_SUPPORTED', 'LIMIT_REACHED'],
    Delete: ['DELETION_PROTECTED'],
  },
  GslbPool: {
    Create: ['PROJECT_REQUIRED', 'QUOTA_EXCEEDED'],
    Update: ['NOT_SUPPORTED'],
    Delete: ['IN_USE'],
  },
  GslbPoolMember: {
    Create: ['NOT_SUPPORTED', 'EGRESS_DENIED', 'LIMIT_REACHED', 'QUOTA_EXCEEDED'],
    Update: ['NOT_SUPPORTED', 'EGRESS_DENIED', 'LIMIT_REACHED'],
    Delete: [],
  },
  GslbMonitor: {
    Create: ['PROJECT_REQUIRED', 'QUOTA_EXCEEDED', 'EGRESS_DENIED'],
    Update: ['CREDENTIALS_REQUIRED', 'EGRESS_DENIED'],
    Delete: ['IN_USE'],
  },
  GslbFlavor: { Create: ['NOT_SUPPORTED'], Update: ['NOT_SUPPORTED', 'IN_USE'], Delete: ['IN_USE'] },
  GslbVantagePoint: { Create: ['EGRESS_DENIED'], Update: ['EGRESS_DENIED'], Delete: ['IN_USE'] },
  DnsZone: {
    Create: ['NOT_SUPPORTED', 'IN_USE'],
    Update: ['NOT_SUPPORTED', 'IN_USE'],
    Delete: ['IN_USE', 'DELETION_PROTECTED'],
  },
  DnsBackend: {
    Create: ['EGRESS_DENIED', 'CREDENTIALS_REQUIRED', 'NOT_SUPPORTED'],
    Update: ['EGRESS_DENIED', 'CREDENTIALS_REQUIRED', 'NOT_SUPPORTED', 'IN_USE'],
    Delete: ['IN_USE'],
  },
};

function refusals(name: string, verb: 'Create' | 'Update' | 'Delete'): readonly UserErrorCode[] {
  const ofAll: readonly UserErrorCode[] =
    verb === 'Create'
      ? ['NOT_FOUND', 'ALREADY_EXISTS']
      : ['NOT_FOUND', 'STALE_VERSION', ...(verb === 'Update' ? (['ALREADY_EXISTS'] as const) : [])];
  return [...ofAll, ...(refused[name]?.[verb] ?? [])];
}

/** Arguments that identify an object of a kind. Members have no name of their own outside their pool. */
function keyText({ name, owner }: Pick<GslbKind, 'name' | 'owner'>): string {
  if (name === 'GslbPoolMember') return 'id: ID!';
  const id = `"Its id. Give exactly one of id and ${name === 'Gslb' ? 'fqdn' : 'name'}." id: ID`;
  if (name === 'Gslb') return `${id}, "Its DNS name, with or without a final dot." fqdn: String`;
  const named = `${id}, "The name, as an alternative to the id." name: String`;
  return owner === 'PROJECT'
    ? `${named}, "The project in which the name is looked up. Callers with only one project may omit it." projectId: ID`
    : named;
}

/** Only administrators may call the field. It is not in the public SDL. */
const adminTag = ' @tag(name: "admin")';

function rootText(): string {
  const reads = describedKinds.map((kind) => {
    const {
      name,
      owner,
      words: [article, what],
    } = kind;
    // Everyone may read flavors, to choose one.
    const tag = owner === 'PROJECT' || name === 'GslbFlavor' ? '' : adminTag;
    const description = quoted(`${upper(`${article} ${what}`)}; null when the caller may not see it.`);
    return `  ${description}\n  ${lower(name)}(${keyText(kind)}): ${name}${tag}\n`;
  });
  const writes = describedKinds.flatMap(({ name, words: [article, what], owner }) =>
    [
      ['Create', '', `Creates ${article} ${what}${summaries[name]?.create ?? ' with the given settings.'}`] as const,
      ['Update', '', `Changes the given settings of ${article} ${what}.`] as const,
      ['Delete', 'Delete', `Deletes ${article} ${what}${summaries[name]?.delete ?? ' that nothing uses.'}`] as const,
    ].map(
      ([verb, payload, summary]) =>
        `  ${quoted(summary)}\n  ${lower(name)}${verb}(input: ${name}${verb}Input!): ${name}${payload}Payload @semanticNonNull ${termsText({ role: owner === 'PROJECT' ? 'MEMBER' : 'ADMINISTRATOR', refuses: refusals(name, verb) })}${owner === 'PROJECT' ? '' : adminTag}\n`,
    ),
  );
  return `extend type Query {\n${reads.join('')}}\n\nextend type Mutation {\n${writes.join('')}}\n`;
}
