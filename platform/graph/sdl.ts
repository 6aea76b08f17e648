// A subgraph's whole SDL: its own (schema/NAME.graphql, and schema/NAME.made.graphql where a part is generated), the shared part
// (schema/shared.graphql), and stubs of entities that it references and another subgraph owns. Codegen, composition, the lint and
// the running subgraphs all read it here.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import {
  buildSchema,
  type DefinitionNode,
  type DocumentNode,
  type FieldDefinitionNode,
  GraphQLSchema,
  isSpecifiedDirective,
  Kind,
  type ObjectTypeDefinitionNode,
  type ObjectTypeExtensionNode,
  parse,
  print,
  visit,
} from 'graphql';

/** SDL by subgraph name. */
export type SubgraphSdl = ReadonlyMap<string, string>;

const folder = new URL('../../schema/', import.meta.url);
const sharedFile = new URL('shared.graphql', folder);
/** In schema/, but not a subgraph. */
const commonFiles: ReadonlySet<string> = new Set(['shared.graphql', 'supergraph.graphql']);
const rootTypes: ReadonlySet<string> = new Set(['Query', 'Mutation', 'Subscription']);

/** What all subgraphs have. */
export function readSharedSdl(): string {
  return readFileSync(sharedFile, 'utf8');
}

/** A subgraph's own SDL: its file, and the generated one beside it. */
function readOwnSdl(file: URL): string {
  const made = new URL(file.href.replace(/\.graphql$/, '.made.graphql'));
  const own = readFileSync(file, 'utf8');
  return existsSync(made) ? `${own}\n${readFileSync(made, 'utf8')}` : own;
}

/** The whole SDL of every subgraph in schema/. */
export function readGraph(): SubgraphSdl {
  return joinSdl(readOwnGraph());
}

/** The own SDL of every subgraph in schema/. System is first: it owns the shared part. */
export function readOwnGraph(): SubgraphSdl {
  const files = readdirSync(folder).filter((file) => /^[^.]+\.graphql$/.test(file) && !commonFiles.has(file));
  const names = files.map((file) => file.slice(0, -'.graphql'.length));
  names.sort((a, b) => Number(b === 'system') - Number(a === 'system') || (a < b ? -1 : 1));
  return new Map(names.map((name) => [name, readOwnSdl(new URL(`${name}.graphql`, folder))]));
}

/** The whole SDL of each of these subgraphs, from their own SDL files. */
export function graphOf(subgraphs: readonly { readonly name: string; readonly sdl: URL }[]): SubgraphSdl {
  return joinSdl(new Map(subgraphs.map(({ name, sdl }) => [name, readOwnSdl(sdl)])));
}

/** The whole SDL of one subgraph in the graph of schema/. */
export function readSubgraphSdl(name: string): string {
  const sdl = readGraph().get(name);
  if (sdl === undefined) throw new Error(`schema/ has no subgraph ${name}`);
  return sdl;
}

/**
 * The whole SDL of each subgraph, from their own SDL. A type that a subgraph extends or references without defining it is an
 * entity of another one, and gets a stub. A subgraph with a field of type Node gets a stub of every entity that is a Node. Throws
 * when an entity has two owners.
 */
export function joinSdl(own: SubgraphSdl, shared = readSharedSdl()): SubgraphSdl {
  const sharedPart = parse(shared);
  const documents = new Map([...own].map(([name, sdl]) => [name, parse(sdl)]));
  const entities = ownedEntities(documents);
  return new Map(
    [...documents].map(([name, document]) => {
      const definitions = [...sharedPart.definitions, ...withStubs(document, entities)];
      return [name, print({ kind: Kind.DOCUMENT, definitions })];
    }),
  );
}

/** Names of the types in a subgraph's whole SDL that are Nodes of other subgraphs. */
export function foreignNodes(sdl: string): ReadonlySet<string> {
  const types = parse(sdl).definitions.filter(isObject).filter(isNode);
  return new Set(types.filter((type) => !isResolvedHere(type)).map((type) => type.name.value));
}

/** The schema for clients of a supergraph: without the federation's names `join__` and `link__`. */
export function apiSchemaOf(supergraphSdl: string): GraphQLSchema {
  const schema = buildSchema(supergraphSdl, { assumeValidSDL: true, noLocation: true });
  const { types, directives, ...config } = schema.toConfig();
  return new GraphQLSchema({
    ...config,
    extensionASTNodes: [],
    types: types.filter(({ name }) => !/^(join|link)__/.test(name)),
    directives: directives.filter(isSpecifiedDirective),
  });
}

interface Entity {
  readonly owner: string;
  readonly type: ObjectTypeDefinitionNode;
}

/** The subgraph that defines an entity owns it; the others extend or reference it. */
function ownedEntities(documents: ReadonlyMap<string, DocumentNode>): ReadonlyMap<string, Entity> {
  const entities = new Map<string, Entity>();
  for (const [owner, { definitions }] of documents)
    for (const type of definitions.filter(isObject).filter(isResolvedHere)) {
      const name = type.name.value;
      const other = entities.get(name)?.owner;
      if (other !== undefined)
        throw new Error(`${name} is defined by ${other} and by ${owner}: one of them must extend it`);
      entities.set(name, { owner, type });
    }
  return entities;
}

function withStubs({ definitions }: DocumentNode, entities: ReadonlyMap<string, Entity>): DefinitionNode[] {
  const defined = new Set(definitions.filter(isObject).map(({ name }) => name.value));
  const named = namedTypes(definitions);
  const stubs: DefinitionNode[] = [];
  const replaced = new Set<DefinitionNode>();
  for (const [name, { type }] of entities) {
    if (defined.has(name)) continue;
    const extensions = definitions.filter(isExtension).filter((each) => each.name.value === name);
    if (extensions.length === 0 && !named.has(name) && !(isNode(type) && named.has('Node'))) continue;
    for (const extension of extensions) replaced.add(extension);
    stubs.push(stubOf(type, extensions));
  }
  return [...stubs, ...definitions.filter((definition) => !replaced.has(definition))];
}

/**
 * The entity in another subgraph: its id, and the fields that subgraph adds. A subgraph that adds fields must resolve references.
 */
function stubOf(type: ObjectTypeDefinitionNode, extensions: readonly ObjectTypeExtensionNode[]): DefinitionNode {
  const id = type.fields?.find((field) => field.name.value === 'id');
  if (id === undefined) throw new Error(`${type.name.value} has no field id, by which other subgraphs could name it`);
  const added: FieldDefinitionNode[] = extensions.flatMap(({ fields }) => fields ?? []);
  const key = added.length === 0 ? '@key(fields: "id", resolvable: false)' : '@key(fields: "id")';
  const [stub] = parse(
    `type ${type.name.value} ${isNode(type) ? 'implements Node ' : ''}${key} { id: ID! }`,
  ).definitions;
  return { ...(stub as ObjectTypeDefinitionNode), ...describedAs(type), fields: [id, ...added] };
}

function describedAs({ description }: ObjectTypeDefinitionNode): Partial<ObjectTypeDefinitionNode> {
  return description === undefined ? {} : { description };
}

/** Types of fields and arguments. */
function namedTypes(definitions: readonly DefinitionNode[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const definition of definitions.filter((each) => isObject(each) || isExtension(each)))
    visit(definition, {
      FieldDefinition: (field) => {
        visit(field.type, { NamedType: ({ name }) => void names.add(name.value) });
      },
    });
  return names;
}

function isResolvedHere({ name, directives }: ObjectTypeDefinitionNode): boolean {
  if (rootTypes.has(name.value)) return false;
  const keys = (directives ?? []).filter((directive) => directive.name.value === 'key');
  return keys.some((key) => !key.arguments?.some((argument) => argument.name.value === 'resolvable'));
}

function isNode({ interfaces }: ObjectTypeDefinitionNode): boolean {
  return interfaces?.some(({ name }) => name.value === 'Node') ?? false;
}

function isObject(definition: DefinitionNode): definition is ObjectTypeDefinitionNode {
  return definition.kind === Kind.OBJECT_TYPE_DEFINITION;
}

function isExtension(definition: DefinitionNode): definition is ObjectTypeExtensionNode {
  return definition.kind === Kind.OBJECT_TYPE_EXTENSION;
}
