// The graph as its clients see it, from the supergraph: without what is marked `@inaccessible`, and, for the public part, without the
// root fields tagged `admin`, which only administrators and machines may call, and the types that nothing else leads to.
import {
  type ASTNode,
  type ConstDirectiveNode,
  type DefinitionNode,
  type DocumentNode,
  type FieldDefinitionNode,
  Kind,
  type ObjectTypeDefinitionNode,
  parse,
  print,
  visit,
} from 'graphql';

/** `admin`: all of the graph. `public`: without the root fields of administrators and machines. */
export type Audience = 'admin' | 'public';

/** What the composer adds for the gateway. */
const federation = /^(join|link)(__|$)/;
/** Directives that say what clients see. They are words for clients' own fields, too. */
const marks: ReadonlySet<string> = new Set(['tag', 'inaccessible']);
const rootTypes: readonly string[] = ['Query', 'Mutation', 'Subscription'];

/** The SDL for clients, with descriptions. */
export function clientSdl(supergraphSdl: string, audience: Audience): string {
  return `${print(clientDocument(supergraphSdl, audience))}\n`;
}

export function clientDocument(supergraphSdl: string, audience: Audience): DocumentNode {
  const all = accessiblePart(parse(supergraphSdl, { noLocation: true }));
  return withoutFederation(audience === 'public' ? publicPart(all) : all);
}

/** Without the root fields tagged `admin`, and without the types that nothing else leads to. */
export function publicPart(document: DocumentNode): DocumentNode {
  return reachablePart(withoutRoots(document, adminRoots(document)));
}

/** Root fields for administrators and machines only, for example `Query.users`. */
export function adminRoots({ definitions }: DocumentNode): ReadonlySet<string> {
  return new Set(definitions.filter(isRoot).flatMap((type) => pathsOf(type, isAdminField)));
}

/** Composition has refused an accessible element of an inaccessible type. */
export function accessiblePart(document: DocumentNode): DocumentNode {
  const hidden = new Set(document.definitions.filter(isInaccessible).map(nameOf));
  return visit(document, {
    enter: (node: ASTNode) =>
      isInaccessible(node) || (node.kind === Kind.NAMED_TYPE && hidden.has(node.name.value)) ? null : undefined,
  });
}

function withoutFederation(document: DocumentNode): DocumentNode {
  return visit(document, {
    enter: (node: ASTNode) => (node.kind === Kind.SCHEMA_DEFINITION || isForGateway(node) ? null : undefined),
  });
}

function isForGateway(node: ASTNode): boolean {
  if (node.kind !== Kind.DIRECTIVE && node.kind !== Kind.DIRECTIVE_DEFINITION) return federation.test(nameOf(node));
  return federation.test(nameOf(node)) || marks.has(nameOf(node));
}

function withoutRoots(document: DocumentNode, paths: ReadonlySet<string>): DocumentNode {
  const definitions = document.definitions.map((type) =>
    isRoot(type)
      ? { ...type, fields: type.fields?.filter(({ name }) => !paths.has(`${type.name.value}.${name.value}`)) ?? [] }
      : type,
  );
  return { ...document, definitions };
}

/**
 * An object that only `node(id:)` leads to, because it implements Node, is an administrator's. Objects of any other interface are
 * reached through it.
 */
function reachablePart(document: DocumentNode): DocumentNode {
  const types = new Map(document.definitions.filter(isType).map((type) => [nameOf(type), type]));
  const implementers = new Map<string, string[]>();
  for (const [name, type] of types)
    for (const each of 'interfaces' in type ? (type.interfaces ?? []) : [])
      implementers.set(each.name.value, [...(implementers.get(each.name.value) ?? []), name]);
  const reached = new Set<string>();
  const follow = (name: string): void => {
    const type = types.get(name);
    if (type === undefined || reached.has(name)) return;
    reached.add(name);
    visit(type, {
      Directive: () => false,
      NamedType: ({ name: { value } }) => follow(value),
    });
    if (name !== 'Node') for (const each of implementers.get(name) ?? []) follow(each);
  };
  for (const root of rootTypes) follow(root);
  const definitions = document.definitions.filter((each) => !isType(each) || reached.has(nameOf(each)));
  return { ...document, definitions };
}

function pathsOf(type: ObjectTypeDefinitionNode, wanted: (field: FieldDefinitionNode) => boolean): string[] {
  return (type.fields ?? []).filter(wanted).map(({ name }) => `${type.name.value}.${name.value}`);
}

function isAdminField({ directives = [] }: FieldDefinitionNode): boolean {
  return directives.some((directive) => directive.name.value === 'tag' && tagOf(directive) === 'admin');
}

function tagOf({ arguments: given = [] }: ConstDirectiveNode): string | undefined {
  const value = given.find(({ name }) => name.value === 'name')?.value;
  return value?.kind === Kind.STRING ? value.value : undefined;
}

function isInaccessible(node: ASTNode): boolean {
  return 'directives' in node && (node.directives ?? []).some(({ name }) => name.value === 'inaccessible');
}

function isRoot(definition: DefinitionNode): definition is ObjectTypeDefinitionNode {
  return definition.kind === Kind.OBJECT_TYPE_DEFINITION && rootTypes.includes(definition.name.value);
}

function isType(definition: DefinitionNode): boolean {
  return definition.kind !== Kind.SCHEMA_DEFINITION && definition.kind !== Kind.DIRECTIVE_DEFINITION;
}

function nameOf(node: ASTNode): string {
  return ('name' in node ? node.name?.value : undefined) ?? '';
}
