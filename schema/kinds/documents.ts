// GraphQL documents for a kind, made from the registry: each reads or changes objects of one kind. Nothing here needs Node.
import { type Action, aliasOf, type Kind, type OutputField, type Registry } from './kind.ts';

/** What is read of an object: `fields` of it, default all. */
export function selectionOf(registry: Registry, kind: Kind, fields: readonly OutputField[] = kind.output): string {
  return fields.map((field) => fieldText(registry, field)).join(' ');
}

/** Its id, its key and where it is: enough to name it. */
export function namingSelection(registry: Registry, kind: Kind): string {
  return selectionOf(registry, kind, namingFields(kind));
}

function namingFields({ output, key, parent, scope, node }: Kind): readonly OutputField[] {
  const names = new Set([...(node ? ['id'] : []), ...key.flatMap(shownNames)]);
  if (scope === 'project') names.add('project');
  if (parent !== undefined) names.add(parent.link);
  return output.filter(({ name }) => names.has(name));
}

/** Of an input's field that takes an id, the name of the link too: userId, user. */
function shownNames(name: string): readonly string[] {
  return name.endsWith('Id') ? [name, name.slice(0, -2)] : [name];
}

function fieldText(registry: Registry, { name, refersTo, fields, variants }: OutputField): string {
  if (refersTo !== undefined) return `${name} { ${linkText(registry, refersTo)} }`;
  if (variants !== undefined)
    return `${name} { __typename ${variants.map((each) => variantText(registry, each)).join(' ')} }`;
  if (fields !== undefined) return `${name} { ${fields.map((each) => fieldText(registry, each)).join(' ')} }`;
  return name;
}

function linkText(registry: Registry, type: string): string {
  const kind = registry.kinds[type];
  if (kind === undefined) return 'id';
  const plain = kind.output.filter(({ name, refersTo }) => kind.key.includes(name) && refersTo === undefined);
  return ['id', ...plain.map(({ name }) => name)].join(' ');
}

/** Types of a union may have fields of one name with different types. */
function variantText(registry: Registry, variant: NonNullable<OutputField['variants']>[number]): string {
  const texts = variant.fields.map((each) => {
    const alias = each.aliased === true ? `${aliasOf(variant, each)}: ` : '';
    return `${alias}${fieldText(registry, each)}`;
  });
  return `... on ${variant.type} { ${texts.join(' ')} }`;
}

/** The pages of a kind with a root list. `filters`: those of the list that are used. */
export function listDocument(registry: Registry, kind: Kind, filters: readonly string[], selection?: string): string {
  const { list } = kind;
  if (list === undefined) throw new Error(`${kind.type} has no list of its own`);
  const used = list.filters.filter(({ name }) => filters.includes(name));
  const declared = used.map(({ name, type, list: many }) => `, $${name}: ${many ? `[${type}!]` : type}`).join('');
  const given = used.map(({ name }) => `, ${name}: $${name}`).join('');
  return `query ${kind.type}List($first: Int, $after: String${declared}) {
  found: ${list.field}(first: $first, after: $after${given}) {
    nodes { ${selection ?? selectionOf(registry, kind)} } pageInfo { hasNextPage endCursor }
  }
}`;
}

/** The objects of a parent with the id. A parent with pages of them takes `first` and `after`. */
export function childrenDocument(registry: Registry, kind: Kind, selection?: string): string {
  const { parent } = kind;
  if (parent === undefined) throw new Error(`${kind.type} has no parent`);
  const text = selection ?? selectionOf(registry, kind);
  const isPaged = parent.has === 'pages';
  const content = isPaged ? `nodes { ${text} } pageInfo { hasNextPage endCursor }` : text;
  const args = isPaged ? '(first: $first, after: $after)' : '';
  return `query ${kind.type}Children($id: ID!${isPaged ? ', $first: Int, $after: String' : ''}) {
  of: node(id: $id) { __typename ... on ${parent.kind} { found: ${parent.children}${args} { ${content} } } }
}`;
}

/** The object with an id, and those of the list with a name, in one request. */
export function namedDocument(
  kind: Kind,
  { inProject, selection }: { readonly inProject: boolean; readonly selection: string },
): string {
  const { list, type } = kind;
  if (list === undefined) throw new Error(`${type} has no list of its own`);
  return `query ${type}Named($id: ID!, $names: [String!], $first: Int, $after: String${inProject ? ', $projectId: ID' : ''}) {
  byId: node(id: $id) { __typename ... on ${type} { ${selection} } }
  found: ${list.field}(names: $names, first: $first, after: $after${inProject ? ', projectId: $projectId' : ''}) {
    nodes { ${selection} } pageInfo { hasNextPage endCursor }
  }
}`;
}

/** One object by its id. */
export function oneDocument(registry: Registry, kind: Kind, selection?: string): string {
  const text = selection ?? selectionOf(registry, kind);
  return `query ${kind.type}One($id: ID!) { found: node(id: $id) { __typename ... on ${kind.type} { ${text} } } }`;
}

/** The payload's object is `made`. `selection`: what is read of it; `errors`: what is read of a refusal. */
export function actionDocument(
  registry: Registry,
  kind: Kind,
  { mutation, input, object, secrets = [] }: Action,
  {
    selection = selectionOf(registry, kind),
    errors = 'code message field',
  }: { readonly selection?: string; readonly errors?: string } = {},
): string {
  const made = object === undefined ? '' : `made: ${object} { ${selection} } `;
  return `mutation ${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}($input: ${input}!) {
  done: ${mutation}(input: $input) { ${made}${secrets.join(' ')} commit { token } userErrors { ${errors} } }
}`;
}
