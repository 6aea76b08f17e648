// Generates the SDL of a load balancer's parts: generated/schema/loadbalancer.made.graphql. Each kind becomes a type, its inputs (alone,
// and in the tree of a new load balancer), and the mutations to create, update and delete it.
import type { UserErrorCode } from '../../../platform/errors/errors.ts';
import {
  connectionText,
  expectedVersionField,
  idempotencyKeyField,
  idField,
  idFieldOf,
  inputText,
  keptText,
  lower,
  plural,
  typeFields,
  upper,
  uptimeFieldText,
} from '../../../platform/graph/described/text.ts';
import {
  definitionsOf,
  type Fields,
  quoted,
  required,
  textField,
  withoutDefault,
} from '../../../platform/graph/fields.ts';
import { type Terms, termsText } from '../../../platform/graph/terms.ts';
import { childFields, type PartField, type PartKind, type PartName, partNames } from './part-kind.ts';
import { partKinds } from './parts.ts';

const kinds = partNames.map((name) => partKinds[name]);

export function partsGraphText(): string {
  const definitions = new Map(kinds.flatMap(({ fields }) => [...definitionsOf(fields)]));
  return [...definitions.values(), ...kinds.flatMap(textsOf), changeText(), mutationsText()].join('\n');
}

function textsOf(kind: PartKind): string[] {
  const what = wordsOf(kind.name);
  const common = { idempotencyKey: idempotencyKeyField };
  const named = { id: required(idField(`The global id of the ${what}.`)) };
  const stale = { expectedVersion: expectedVersionField(what) };
  const parent = { [parentIdOf(kind)]: required(idField(`The global id of its ${wordsOf(kind.parent)}.`)) };
  const settings = inputFields(kind, 'alone');
  const changeable = Object.fromEntries(
    Object.entries(kind.fields)
      .filter(([, field]) => field.fixed !== true)
      .map(([name, field]) => inputField(name, { ...withoutDefault(field), required: false }, 'alone')),
  );
  return [
    typeText(kind),
    ...(isPaged(kind) ? [connectionText(kind.name, what)] : []),
    inputText(`${kind.name}TreeInput`, `${upper(a(what))} in the tree of a new load balancer.`, {
      ...inputFields(kind, 'tree'),
      ...treeChildren(kind),
    }),
    inputText(`${kind.name}CreateInput`, `A new ${what}. Role: MEMBER.`, { ...common, ...parent, ...settings }),
    inputText(`${kind.name}UpdateInput`, `A change of ${a(what)}. ${keptText} Role: MEMBER.`, {
      ...common,
      ...named,
      ...stale,
      ...changeable,
    }),
    inputText(`${kind.name}DeleteInput`, `The deletion of ${a(what)}${childrenWords(kind)}. Role: MEMBER.`, {
      ...common,
      ...named,
      ...stale,
    }),
    payloadText(kind),
    deletePayloadText(kind),
  ];
}

function typeText(kind: PartKind): string {
  const parent = lower(kind.parent);
  const balancer =
    kind.parent === 'LoadBalancer' ? '' : '  "The load balancer to which it belongs."\n  loadBalancer: LoadBalancer!\n';
  return `${quoted(kind.description)}
type ${kind.name} implements Node @key(fields: "id") {
  "Globally unique and opaque."
  id: ID!
  "Increases by one with every change."
  version: Int!
${balancer}  "The ${wordsOf(kind.parent)} to which it belongs."
  ${parent}: ${kind.parent}!
${typeFields(kind.fields)}  "Progress of its last change on the nodes."
  provisioningStatus: ProvisioningStatus!
  "Whether it serves, according to all nodes of the load balancer."
  operatingStatus: OperatingStatus!
  "The result of its checks, or the reason why it does not serve. Null if there is nothing to report."
  operatingReason: String
${kind.name === 'PoolMember' ? `  "Until when its current clients may send requests. Their sessions end 2 seconds later. Null if it is not drained."\n  drainUntil: DateTime\n${uptimeFieldText}` : ''}  "When it was created."
  createdAt: DateTime!
  "When its settings or its status last changed."
  updatedAt: DateTime!
${kind.name === 'Pool' ? poolLinks : ''}${childFieldsText(kind)}}
`;
}

const poolLinks = `  "Listeners whose default pool it is, oldest first. At most 100."
  listeners: [Listener!]! @listSize(assumedSize: 2)
  "L7 policies that send requests to it, oldest first. At most 100."
  l7Policies: [L7Policy!]! @listSize(assumedSize: 3)
`;

const refusals = '  "Why the request was refused. Empty when it was carried out."\n  userErrors: [UserError!]!\n';
const commit = '  "The commit of the write. Null when refused."\n  commit: Commit\n';

function payloadText({ name }: PartKind): string {
  const what = wordsOf(name);
  return `${quoted(`A ${what} after it was created or changed.`)}
type ${name}Payload {
  "The ${what} after the change. Null when refused."
  ${lower(name)}: ${name}
${refusals}${commit}}
`;
}

function deletePayloadText({ name }: PartKind): string {
  const what = wordsOf(name);
  return `${quoted(`The result of deleting ${a(what)}.`)}
type ${name}DeletePayload {
  "The ${what}, which nodes may still have: see its \`provisioningStatus\`. Null when refused."
  ${lower(name)}: ${name}
  "The id of the deleted object. Null when refused."
  deletedId: ID
${refusals}${commit}}
`;
}

/** Whether its parent shows it in pages. */
function isPaged({ most }: PartKind): boolean {
  return most > 100;
}

function childFieldsText(kind: PartKind): string {
  return kinds
    .filter(({ parent }) => parent === kind.name)
    .map((child) => {
      const what = wordsOf(child.name);
      const name = childFields[child.name];
      if (child.most === 1) return `  "Its ${what}. Null if it has none."\n  ${name}: ${child.name}\n`;
      return isPaged(child)
        ? `  "Its ${plural(what)}, oldest first."\n  ${name}(first: Int = 20, after: String): ${child.name}Connection @semanticNonNull\n`
        : `  "Its ${plural(what)}, in order, at most ${child.most}."\n  ${name}: [${child.name}!]! @listSize(assumedSize: 4)\n`;
    })
    .join('');
}

function treeChildren(kind: PartKind): Fields {
  const children = kinds.filter(({ parent }) => parent === kind.name);
  return Object.fromEntries(
    children.map((child) => {
      const type = `${child.name}TreeInput`;
      const what = wordsOf(child.name);
      return child.most === 1
        ? [childFields[child.name], { ...textField(`Its ${what}. Optional.`, 0), type }]
        : [
            childFields[child.name],
            { ...textField(`Its ${plural(what)}, at most ${child.most}.`, 0), type: `[${type}!]` },
          ];
    }),
  );
}

function inputFields(kind: PartKind, where: 'alone' | 'tree'): Fields {
  return Object.fromEntries(Object.entries(kind.fields).map(([name, field]) => inputField(name, field, where)));
}

function inputField(name: string, field: PartField, where: 'alone' | 'tree'): readonly [string, PartField] {
  if (field.refersTo === undefined) return [name, field];
  // Parts of a tree have no ids yet: names are used.
  if (where === 'tree' && field.refersTo !== 'TlsCertificate')
    return [name, { ...field, type: 'String', description: `${field.description} By its name in the tree.` }];
  return [idFieldOf(name, field), { ...field, type: field.type.startsWith('[') ? '[ID!]' : 'ID' }];
}

/** One kind of change that `loadBalancerPreview` accepts. */
function changeText(): string {
  const changes = [
    ...kinds.flatMap(({ name }) => ['Create', 'Update', 'Delete'].map((verb) => `${name}${verb}`)),
    ...['PoolMembersSet', 'PoolMemberDrain', 'PoolMemberDrainCancel', 'LoadBalancerUpdate', 'LoadBalancerDelete'],
    ...['AutoscalingPolicySet', 'AutoscalingPolicyDelete', 'TlsCertificateUpdate'],
  ];
  const fields = changes.map((change) => {
    const mutation = lower(change);
    return [mutation, { ...textField(`The input of the mutation ${mutation}.`, 0), type: `${change}Input` }] as const;
  });
  return inputText(
    'LoadBalancerChangeInput',
    'A change of a load balancer, of a part of it, of its autoscaling, or of a certificate that it uses.',
    Object.fromEntries(fields),
  ).replace('LoadBalancerChangeInput {', 'LoadBalancerChangeInput @oneOf {');
}

function mutationsText(): string {
  const fields = kinds.flatMap((kind) => {
    const { name } = kind;
    const what = wordsOf(name);
    return [
      ['Create', `Creates ${a(what)} and starts to set it up on all nodes.`, ''] as const,
      ['Update', `Changes the given settings of ${a(what)} on all nodes.`, ''] as const,
      ['Delete', `Deletes ${a(what)}${childrenWords(kind)} and removes it from all nodes.`, 'Delete'] as const,
    ].map(
      ([verb, summary, of]) =>
        `  ${quoted(summary)}\n  ${lower(name)}${verb}(input: ${name}${verb}Input!): ${name}${of}Payload @semanticNonNull ${termsText(termsOf(name, verb))}\n`,
    );
  });
  const reads = kinds.map(
    ({ name }) =>
      `  ${quoted(`${upper(a(wordsOf(name)))}. Null when it does not exist or the caller may not see it.`)}\n  ${lower(name)}(id: ID!): ${name}\n`,
  );
  return `extend type Query {\n${reads.join('')}}\n\nextend type Mutation {\n${fields.join('')}}\n`;
}

const withAddresses: ReadonlySet<string> = new Set(['Pool', 'PoolMember', 'PoolHealthMonitor']);
const isReferred = (name: PartName) =>
  kinds.some(({ fields }) => Object.values(fields).some(({ refersTo }) => refersTo === name));

function termsOf(name: PartName, verb: 'Create' | 'Update' | 'Delete'): Terms {
  const known: UserErrorCode[] = verb === 'Create' ? ['NOT_FOUND'] : ['NOT_FOUND', 'STALE_VERSION'];
  if (verb === 'Delete')
    return { role: 'MEMBER', refuses: [...known, ...(isReferred(name) ? (['IN_USE'] as const) : [])] };
  return {
    role: 'MEMBER',
    refuses: [
      ...known,
      ...(['ALREADY_EXISTS', 'LIMIT_REACHED'] as const),
      ...(name === 'Listener' ? (['IN_USE'] as const) : []),
      ...(withAddresses.has(name) ? (['EGRESS_DENIED'] as const) : []),
      ...(verb === 'Create' ? (['QUOTA_EXCEEDED'] as const) : []),
    ],
  };
}

function parentIdOf({ parent }: PartKind): string {
  return `${lower(parent)}Id`;
}

function childrenWords(kind: PartKind): string {
  const children = kinds
    .filter(({ parent }) => parent === kind.name)
    .map(({ name, most }) => (most === 1 ? wordsOf(name) : plural(wordsOf(name))));
  return children.length === 0 ? '' : ` with its ${children.join(' and ')}`;
}

const words: Readonly<Record<PartName | 'LoadBalancer', string>> = {
  LoadBalancer: 'load balancer',
  Pool: 'pool',
  PoolMember: 'member',
  PoolHealthMonitor: 'health monitor',
  Listener: 'listener',
  L7Policy: 'L7 policy',
  L7Rule: 'L7 rule',
};

export function wordsOf(name: PartName | 'LoadBalancer'): string {
  return words[name];
}

/** The name with its article, as in "a pool". */
function a(what: string): string {
  return `${what.startsWith('L') ? 'an' : 'a'} ${what}`;
}
