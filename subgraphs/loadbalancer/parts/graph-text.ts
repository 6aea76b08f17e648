// The parts of a load balancer as SDL: schema/loadbalancer.made.graphql. Each kind becomes a type, its inputs (alone, and in the tree of a
// new load balancer), and the mutations to create, update and delete it.
import { definitionsOf, type Fields, fieldsText, quoted, required, textField } from '../../../platform/graph/fields.ts';
import type { JsonValue } from '../../../platform/json.ts';
import { type PartField, type PartKind, type PartName, partNames } from './part-kind.ts';
import { partKinds } from './parts.ts';

const kinds = partNames.map((name) => partKinds[name]);

const key = textField(
  'A repeated request with the same key returns the first result. 1 to 255 printable characters.',
  255,
);
const version = { ...textField('', 0), type: 'Int' };
const id = (description: string) => ({ ...textField(description, 255), type: 'ID' });

/** The field of an input that refers by id: defaultPool becomes defaultPoolId, certificates certificateIds. */
export function idFieldOf(name: string, { type }: PartField): string {
  return type.startsWith('[') ? `${name.slice(0, -1)}Ids` : `${name}Id`;
}

export function partsGraphText(): string {
  const definitions = new Map(kinds.flatMap(({ fields }) => [...definitionsOf(fields)]));
  return [...definitions.values(), ...kinds.flatMap(textsOf), changeText(), mutationsText()].join('\n');
}

function textsOf(kind: PartKind): string[] {
  const what = wordsOf(kind.name);
  const common = { idempotencyKey: key };
  const named = { id: required(id(`The ${what}.`)) };
  const stale = {
    expectedVersion: { ...version, description: `Refused with STALE_VERSION when the ${what} has another version.` },
  };
  const parent = { [parentIdOf(kind)]: required(id(`The ${wordsOf(kind.parent)}.`)) };
  const settings = inputFields(kind, 'alone');
  const changeable = Object.fromEntries(
    Object.entries(kind.fields)
      .filter(([, field]) => field.fixed !== true)
      .map(([name, field]) => inputField(name, { ...field, required: false }, 'alone')),
  );
  return [
    typeText(kind),
    `${quoted(`A page of ${plural(what)}.`)}\ntype ${kind.name}Connection {\n  "The page's items."\n  nodes: [${kind.name}!]!\n  "The page's position."\n  pageInfo: PageInfo!\n}\n`,
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
    `${quoted(`The ${what} after the change.`)}\ntype ${kind.name}Payload {\n  "Null when refused."\n  ${lower(kind.name)}: ${kind.name}\n  "Why the request was refused. A refused request changes nothing. Empty when it was carried out."\n  userErrors: [UserError!]!\n  "The commit of the write; null when refused."\n  commit: Commit\n}\n`,
  ];
}

function typeText(kind: PartKind): string {
  const fields = Object.entries(kind.fields).map(([name, field]) => {
    const type = outputType(field);
    return `  ${quoted(field.description)}\n  ${name}: ${type}${isAlways(field) ? '!' : ''}\n`;
  });
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
${fields.join('')}  "How far its last change has come."
  provisioningStatus: LoadBalancerProvisioningStatus!
  "Whether it serves, as all nodes of the load balancer see it."
  operatingStatus: LoadBalancerOperatingStatus!
  "What its checks say, or why it does not serve; null when there is nothing to say."
  statusMessage: String
${kind.name === 'Member' ? '  "Until when its sessions may last; null: it is not drained."\n  drainUntil: DateTime\n' : ''}  "When it was created."
  createdAt: DateTime!
${childFields(kind)}}
`;
}

/** Whether the field of the type is never null. */
function isAlways({ required: mustHave, default: value }: PartField): boolean {
  return mustHave || (value !== undefined && value !== null);
}

function outputType({ type, refersTo }: PartField): string {
  if (refersTo !== undefined) return type.startsWith('[') ? `[${refersTo}!]` : refersTo;
  return type.replace(/Input$/, '');
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
  const described = withDefault(field);
  if (field.refersTo === undefined) return [name, described];
  // Parts of a tree have no ids yet: they are named.
  if (where === 'tree' && field.refersTo !== 'TlsCertificate')
    return [name, { ...described, type: 'String', description: `${described.description} By its name in the tree.` }];
  return [idFieldOf(name, field), { ...described, type: field.type.startsWith('[') ? '[ID!]' : 'ID' }];
}

function withDefault(field: PartField): PartField {
  const { default: value, description } = field;
  if (value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0))
    return field;
  return { ...field, description: `${description} Default: ${shown(value)}.` };
}

function shown(value: JsonValue): string {
  return Array.isArray(value) ? value.map((each) => shown(each as JsonValue)).join(', ') : String(value);
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

function inputText(name: string, description: string, fields: Fields): string {
  return `${quoted(description)}\ninput ${name} {\n${fieldsText(fields)}}\n`;
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

function plural(text: string): string {
  return text.endsWith('y') ? `${text.slice(0, -1)}ies` : `${text}s`;
}

function lower(name: string): string {
  return `${name.charAt(0).toLowerCase()}${name.slice(1)}`;
}

function upper(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

/** With its article. */
function a(what: string): string {
  return `${what.startsWith('L') ? 'an' : 'a'} ${what}`;
}
