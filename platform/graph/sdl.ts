// A subgraph's whole SDL has three parts: its own (schema/NAME.graphql and the SDL generated from its typed kinds), the shared part
// (schema/shared.graphql), and stubs of referenced entities that another subgraph owns. Codegen, composition, the lint and the
// running subgraphs all read it here.
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import {
  type ASTNode,
  buildASTSchema,
  type DefinitionNode,
  type DocumentNode,
  type FieldDefinitionNode,
  GraphQLSchema,
  isSpecifiedDirective,
  isTypeDefinitionNode,
  Kind,
  type ObjectTypeDefinitionNode,
  type ObjectTypeExtensionNode,
  parse,
  print,
  type TypeDefinitionNode,
  visit,
} from 'graphql';
import { userErrorCodes } from '../errors/errors.ts';
import { accessiblePart } from './client-sdl.ts';
import { enumText } from './fields.ts';
import { readMadeSdl } from './generated-schema.ts';
import { commonRefusals, withTerms } from './terms.ts';

/** SDL by subgraph name. */
export type SubgraphSdl = ReadonlyMap<string, string>;

const folder = new URL('../../schema/', import.meta.url);
const sharedFile = new URL('shared.graphql', folder);
/** Files in schema/ that are not subgraphs. */
const commonFiles: ReadonlySet<string> = new Set(['shared.graphql', 'api.graphql']);
const rootTypes: ReadonlySet<string> = new Set(['Query', 'Mutation', 'Subscription']);

/** The SDL that all subgraphs share: its file, and the codes of errors. */
export function readSharedSdl(): string {
  const codes = enumText({
    name: 'UserErrorCode',
    description: `Why a request was refused. docs/errors.md says what to do after each. Any mutation may refuse with ${[...commonRefusals].join(', ')}; its description names all others.`,
    values: Object.fromEntries(Object.entries(userErrorCodes).map(([code, { meaning }]) => [code, meaning])),
  });
  return `${readFileSync(sharedFile, 'utf8')}\n${codes}`;
}

/** A subgraph's own SDL: its file and the generated part. */
function readOwnSdl(file: URL, made: SubgraphSdl): string {
  const written = readFileSync(file, 'utf8');
  const rest = made.get(basename(file.pathname, '.graphql'));
  return rest === undefined ? written : `${written}\n${rest}`;
}

/** The whole SDL of every subgraph in schema/. */
export function readGraph(): SubgraphSdl {
  return joinSdl(readOwnGraph());
}

/** The own SDL of every subgraph in schema/, with the generated parts. System is first, because it owns the shared part. */
export function readOwnGraph(made = readMadeSdl()): SubgraphSdl {
  const files = readdirSync(folder).filter((file) => /^[^.]+\.graphql$/.test(file) && !commonFiles.has(file));
  const names = files.map((file) => file.slice(0, -'.graphql'.length));
  names.sort((a, b) => Number(b === 'system') - Number(a === 'system') || (a < b ? -1 : 1));
  return new Map(names.map((name) => [name, readOwnSdl(new URL(`${name}.graphql`, folder), made)]));
}

/** The whole SDL of each of these subgraphs, from their own SDL files. */
export function graphOf(subgraphs: readonly { readonly name: string; readonly sdl: URL }[]): SubgraphSdl {
  const made = readMadeSdl();
  const own = new Map(subgraphs.map(({ name, sdl }) => [name, readOwnSdl(sdl, made)]));
  return joinSdl(withoutAbsent(own, readOwnGraph(made)));
}

/** A deployment may leave out a subgraph: then the links to its entities, and what others add to them, are not in the graph. */
function withoutAbsent(own: SubgraphSdl, whole: SubgraphSdl): SubgraphSdl {
  // The usual case: nothing has to be parsed.
  if ([...whole.keys()].every((name) => own.has(name))) return own;
  const entitiesOf = (graph: SubgraphSdl) =>
    ownedEntities(new Map([...graph].map(([name, sdl]) => [name, parse(sdl)])));
  const present = entitiesOf(own);
  const absent = new Set([...entitiesOf(whole).keys()].filter((name) => !present.has(name)));
  if (absent.size === 0) return own;
  const isAbsent = (field: FieldDefinitionNode) => [...namedTypesIn(field)].some((name) => absent.has(name));
  const cut = (sdl: string): string =>
    print(
      visit(parse(sdl), {
        ObjectTypeExtension: ({ name }) => (absent.has(name.value) ? null : undefined),
        FieldDefinition: (field) => (isAbsent(field) ? null : undefined),
      }),
    );
  return new Map([...own].map(([name, sdl]) => [name, cut(sdl)]));
}

/** The whole SDL of one subgraph in the graph of schema/. */
export function readSubgraphSdl(name: string): string {
  const sdl = readGraph().get(name);
  if (sdl === undefined) throw new Error(`schema/ has no subgraph ${name}`);
  return sdl;
}

/**
 * The whole SDL of each subgraph, from their own SDL, with the shared types that it uses. A type that a subgraph extends or
 * references without defining it is an entity of another one, and gets a stub. A subgraph with a field of type Node gets a stub of
 * every entity that is a Node. Throws when an entity has two owners.
 */
export function joinSdl(own: SubgraphSdl, shared = readSharedSdl()): SubgraphSdl {
  const sharedPart = parse(shared);
  const documents = new Map([...own].map(([name, sdl]) => [name, withTerms(parse(sdl))]));
  const entities = ownedEntities(documents);
  return new Map(
    [...documents].map(([name, document]) => {
      const definitions = [...usedOf(sharedPart, document), ...document.definitions];
      return [name, print({ kind: Kind.DOCUMENT, definitions: withStubs(definitions, entities) })];
    }),
  );
}

/** With stubs of Nodes that outside subgraphs own, in each subgraph that has a field of type Node. */
export function withOutsideNodes(graph: SubgraphSdl, nodes: readonly string[]): SubgraphSdl {
  if (nodes.length === 0) return graph;
  const stubs = nodes.map(
    (name) => `type ${name} implements Node @key(fields: "id", resolvable: false) {\n  id: ID!\n}`,
  );
  return new Map(
    [...graph].map(([name, sdl]) => [
      name,
      namedTypes(parse(sdl).definitions).has('Node') ? [sdl, ...stubs].join('\n\n') : sdl,
    ]),
  );
}

/** Names of the types in a subgraph's whole SDL that are Nodes of other subgraphs. */
export function foreignNodes(sdl: string): ReadonlySet<string> {
  const types = parse(sdl).definitions.filter(isObject).filter(isNode);
  return new Set(types.filter((type) => !isResolvedHere(type)).map((type) => type.name.value));
}

/** The schema for clients of a supergraph: without what is `@inaccessible`, and the federation's names `join__` and `link__`. */
export function apiSchemaOf(supergraphSdl: string): GraphQLSchema {
  const schema = buildASTSchema(accessiblePart(parse(supergraphSdl, { noLocation: true })), { assumeValidSDL: true });
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

/** The shared directives and schema, and the shared types that the document uses, itself or through another one. */
function usedOf(shared: DocumentNode, document: DocumentNode): DefinitionNode[] {
  const types = new Map(shared.definitions.filter(isTypeDefinitionNode).map((type) => [type.name.value, type]));
  const used = new Set<TypeDefinitionNode>();
  const follow = (node: ASTNode): void =>
    void visit(node, {
      NamedType: ({ name }) => {
        const type = types.get(name.value);
        if (type === undefined || used.has(type)) return;
        used.add(type);
        follow(type);
      },
    });
  follow(document);
  return shared.definitions.filter((each) => !isTypeDefinitionNode(each) || used.has(each));
}

function withStubs(definitions: readonly DefinitionNode[], entities: ReadonlyMap<string, Entity>): DefinitionNode[] {
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
        for (const name of namedTypesIn(field)) names.add(name);
      },
    });
  return names;
}

/** Types of the field, not of its arguments. */
function namedTypesIn({ type }: FieldDefinitionNode): ReadonlySet<string> {
  const names = new Set<string>();
  visit(type, { NamedType: ({ name }) => void names.add(name.value) });
  return names;
}

/** Whether it has a key by which this subgraph resolves it. */
export function isResolvedHere({ name, directives }: ObjectTypeDefinitionNode): boolean {
  if (rootTypes.has(name.value)) return false;
  const keys = (directives ?? []).filter((directive) => directive.name.value === 'key');
  return keys.some((key) => !key.arguments?.some((argument) => argument.name.value === 'resolvable'));
}

export function isNode({ interfaces }: ObjectTypeDefinitionNode): boolean {
  return interfaces?.some(({ name }) => name.value === 'Node') ?? false;
}

export function isObject(definition: DefinitionNode): definition is ObjectTypeDefinitionNode {
  return definition.kind === Kind.OBJECT_TYPE_DEFINITION;
}

function isExtension(definition: DefinitionNode): definition is ObjectTypeExtensionNode {
  return definition.kind === Kind.OBJECT_TYPE_EXTENSION;
}
