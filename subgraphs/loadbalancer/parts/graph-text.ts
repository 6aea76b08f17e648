// The parts of a load balancer as SDL: schema/loadbalancer.made.graphql. Each kind becomes a type, its inputs (alone, and in the tree of a
// new load balancer), and the mutations to create, update and delete it.
import {
  connectionText,
  expectedVersionField,
  idempotencyKeyField,
  idField,
  idFieldOf,
  inputText,
  lower,
  payloadText,
  plural,
  typeFields,
  upper,
  withDefault,
} from '../../../platform/graph/described/text.ts';
import { definitionsOf, type Fields, quoted, required, textField } from '../../../platform/graph/fields.ts';
import { type PartField, type PartKind, type PartName, partNames } from './part-kind.ts';
import { partKinds } from './parts.ts';

const kinds = partNames.map((name) => partKinds[name]);

export function partsGraphText(): string {
  const definitions = new Map(kinds.flatMap(({ fields }) => [...definitionsOf(fields)]));
  return [...definitions.values(), ...kinds.flatMap(textsOf), changeText(), mutationsText()].join('\n');
}

function textsOf(kind: PartKind): string[] {
  const what = wordsOf(kind.name);
  const common = { idempotencyKey: idempotencyKeyField };
  const named = { id: required(idField(`The ${what}.`)) };
  const stale = { expectedVersion: expectedVersionField(what) };
  const parent = { [parentIdOf(kind)]: required(idField(`The ${wordsOf(kind.parent)}.`)) };
  const settings = inputFields(kind, 'alone');
  const changeable = Object.fromEntries(
    Object.entries(kind.fields)
      .filter(([, field]) => field.fixed !== true)
      .map(([name, field]) => inputField(name, { ...field, required: false }, 'alone')),
  );
  return [
    typeText(kind),
    connectionText(kind.name, what),
    inputText(`${kind.name}TreeInput`, `${upper(a(what))} in the tree of a new load balancer.`, {
      ...inputFields(kind, 'tree'),
      ...treeChildren(kind),
    }),
    inputText(`${kind.name}CreateInput`, `A new ${what}. Members only.`, { ...common, ...parent, ...settings }),
    inputText(
      `${kind.name}UpdateInput`,
      `A change of ${a(what)}. An omitted field keeps its value; null sets its default. Members only.`,
      { ...common, ...named, ...stale, ...changeable },
    ),
    inputText(`${kind.name}DeleteInput`, `The deletion of ${a(what)}${childrenWords(kind)}. Members only.`, {
      ...common,
      ...named,
      ...stale,
    }),
    payloadText(kind.name, what),
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
${typeFields(kind.fields)}  "How far its last change has come."
  provisioningStatus: LoadBalancerProvisioningStatus!
  "Whether it serves, as all nodes of the load balancer see it."
  operatingStatus: LoadBalancerOperatingStatus!
  "What its checks say, or why it does not serve; null when there is nothing to say."
  statusMessage: String
${kind.name === 'Member' ? '  "Until when it gets requests of clients that it has; its sessions are ended 2 seconds later. Null: it is not drained."\n  drainUntil: DateTime\n' : ''}  "When it was created."
  createdAt: DateTime!
${childFields(kind)}}
`;
}

function childFields(kind: PartKind): string {
  return kinds
    .filter(({ parent }) => parent === kind.name)
    .map((child) => {
      const what = wordsOf(child.name);
      if (child.most === 1) return `  "Its ${what}."\n  ${lower(child.name)}: ${child.name}\n`;
      const name = plural(lower(child.name));
      return child.most > 100
        ? `  "Its ${plural(what)}, oldest first."\n  ${name}(first: Int = 20, after: String): ${child.name}Connection!\n`
        : `  "Its ${plural(what)}, in order."\n  ${name}: [${child.name}!]!\n`;
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
        ? [lower(child.name), { ...textField(`Its ${what}.`, 0), type }]
        : [
            plural(lower(child.name)),
            { ...textField(`Its ${plural(what)}, at most ${child.most}.`, 0), type: `[${type}!]` },
          ];
    }),
  );
}

function inputFields(kind: PartKind, where: 'alone' | 'tree'): Fields {
  return Object.fromEntries(Object.entries(kind.fields).map(([name, field]) => inputField(name, field, where)));
}

function inputField(name: string, field: PartField, where: 'alone' | 'tree'): readonly [string, PartField] {
  const described: PartField = { ...field, description: withDefault(field).description };
  if (field.refersTo === undefined) return [name, described];
  // Parts of a tree have no ids yet: they are named.
  if (where === 'tree' && field.refersTo !== 'TlsCertificate')
    return [name, { ...described, type: 'String', description: `${described.description} By its name in the tree.` }];
  return [idFieldOf(name, field), { ...described, type: field.type.startsWith('[') ? '[ID!]' : 'ID' }];
}

/** One change, as loadBalancerPreview takes it. */
function changeText(): string {
  const changes = [
    ...kinds.flatMap(({ name }) => ['Create', 'Update', 'Delete'].map((verb) => `${name}${verb}`)),
    ...['PoolMembersSet', 'MemberDrain', 'LoadBalancerUpdate', 'LoadBalancerDelete', 'AutoscalingPolicySet'],
    'TlsCertificateUpdate',
  ];
  const fields = changes.map((change) => {
    const mutation = lower(change);
    return [mutation, { ...textField(`As ${mutation} takes it.`, 0), type: `${change}Input` }] as const;
  });
  return inputText(
    'LoadBalancerChangeInput',
    'A change of a load balancer, of a part of it, of its autoscaling, or of a certificate that it uses. Give exactly one field.',
    Object.fromEntries(fields),
  );
}

function mutationsText(): string {
  const fields = kinds.flatMap(({ name }) => {
    const what = wordsOf(name);
    return [
      ['Create', `Creates ${a(what)}.`],
      ['Update', `Changes ${a(what)}.`],
      ['Delete', `Deletes ${a(what)}.`],
    ].map(
      ([verb, summary]) =>
        `  ${quoted(summary ?? '')}\n  ${lower(name)}${verb}(input: ${name}${verb}Input!): ${name}Payload!\n`,
    );
  });
  const reads = kinds.map(
    ({ name }) =>
      `  ${quoted(`${upper(a(wordsOf(name)))}; null when the caller may not see it.`)}\n  ${lower(name)}(id: ID!): ${name}\n`,
  );
  return `extend type Query {\n${reads.join('')}}\n\nextend type Mutation {\n${fields.join('')}}\n`;
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
  Member: 'member',
  HealthMonitor: 'health monitor',
  Listener: 'listener',
  L7Policy: 'L7 policy',
  L7Rule: 'L7 rule',
};

export function wordsOf(name: PartName | 'LoadBalancer'): string {
  return words[name];
}

/** With its article. */
function a(what: string): string {
  return `${what.startsWith('L') ? 'an' : 'a'} ${what}`;
}
