// What the SDL of another team's subgraph may say: types of its own, root fields of its own, and fields on our entities. It can change
// nothing of ours: everything else is refused, with the place.
import {
  type ConstDirectiveNode,
  type DocumentNode,
  type FieldDefinitionNode,
  GraphQLError,
  isTypeDefinitionNode,
  isTypeExtensionNode,
  Kind,
  parse,
  print,
  type SelectionSetNode,
  type TypeDefinitionNode,
  type TypeExtensionNode,
  visit,
} from 'graphql';
import { outsideDirectives, unknownDirectives } from './carried-out.ts';
import { isNode, isObject, isResolvedHere, type SubgraphSdl } from './sdl.ts';

type TypeNode = TypeDefinitionNode | TypeExtensionNode;
type TypeNodeOfField = FieldDefinitionNode['type'];

const roots: ReadonlySet<string> = new Set(['Query', 'Mutation']);
/** What a federated server adds to its SDL by itself. */
const ofServers: ReadonlySet<string> = new Set(['_Any', '_Entity', '_Service', 'FieldSet', 'federation__FieldSet']);
const fieldsOfServers: ReadonlySet<string> = new Set(['_entities', '_service']);
const mostBytes = 1024 * 1024;
const mostTokens = 200_000;

/** Faults of an outside subgraph's SDL, each with its place. `ours`: the whole SDL of each subgraph of the product. */
export function outsideSdlFaults(sdl: string, ours: SubgraphSdl): string[] {
  if (sdl.length > mostBytes) return [`it has ${sdl.length} characters; at most ${mostBytes} are allowed`];
  let document: DocumentNode;
  try {
    document = parse(sdl, { maxTokens: mostTokens });
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    const [place] = error.locations ?? [];
    return [`${place === undefined ? '' : `line ${place.line}: `}${error.message}`];
  }
  if (!/https:\/\/specs\.apollo\.dev\/federation\/v2\./.test(sdl))
    return [
      'it has no @link to Federation 2: begin it with extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])',
    ];
  const known = typesOf(ours);
  const types = document.definitions.filter((each) => isTypeDefinitionNode(each) || isTypeExtensionNode(each));
  return [
    ...unknownDirectives(document, outsideDirectives).map(
      ({ place, what }) => `${place} has ${what}, which is not allowed here: remove it`,
    ),
    ...types.flatMap((type) => typeFaults(type, known)),
    ...providedFaults(types, known),
  ];
}

/**
 * The types of an outside subgraph that are Nodes: `node` and status events find them. The SDL must be without faults; a Node of ours
 * that it extends is not among them.
 */
export function outsideNodes(sdl: string, ours: SubgraphSdl): readonly string[] {
  const known = typesOf(ours);
  const nodes = parse(sdl)
    .definitions.filter(isObject)
    .filter((type) => isNode(type) && isResolvedHere(type));
  return nodes.map(({ name }) => name.value).filter((name) => !known.has(name));
}

interface OurType {
  /** With the fields of all subgraphs. */
  readonly fields: ReadonlyMap<string, string>;
  readonly isEntity: boolean;
  /** Defined in the same way by several subgraphs. */
  readonly text: string;
}

function typesOf(ours: SubgraphSdl): ReadonlyMap<string, OurType> {
  const found = new Map<string, OurType>();
  for (const sdl of ours.values())
    for (const type of parse(sdl).definitions) {
      if (!isTypeDefinitionNode(type) && !isTypeExtensionNode(type)) continue;
      const name = type.name.value;
      const before = found.get(name);
      const fields = fieldsOf(type).map((field) => [field.name.value, print(field.type)] as const);
      found.set(name, {
        fields: new Map([...(before?.fields ?? []), ...fields]),
        isEntity: before?.isEntity === true || (type.directives ?? []).some((each) => each.name.value === 'key'),
        text: before?.text ?? shapeOf(type),
      });
    }
  return found;
}

function typeFaults(type: TypeNode, known: ReadonlyMap<string, OurType>): string[] {
  const name = type.name.value;
  if (ofServers.has(name)) return [];
  if (/^(__|join__|link__)/.test(name)) return [`${name} has a name that Federation keeps for itself: rename it`];
  if (name === 'Subscription')
    return ['Subscription is not for outside subgraphs: only our streams resume without a gap'];
  if (roots.has(name)) return rootFaults(name, type, known);
  const our = known.get(name);
  if (our === undefined) return nodeFaults(name, type);
  if (our.isEntity) return entityFaults(name, type, our);
  if (isSamePart(type, our)) return [];
  return [`${name} is a type of ours with another content: use it as it is published, or rename yours`];
}

/** Other subgraphs name a Node by its id. */
function nodeFaults(name: string, type: TypeNode): string[] {
  if (type.kind !== Kind.OBJECT_TYPE_DEFINITION || !isNode(type)) return [];
  const keys = (type.directives ?? []).filter((each) => each.name.value.replace(/^federation__/, '') === 'key');
  if (keys.some((key) => fieldsOfKey(key) === 'id')) return [];
  return [`${name} implements Node, but lacks the key by which it is found: add @key(fields: "id")`];
}

function rootFaults(name: string, type: TypeNode, known: ReadonlyMap<string, OurType>): string[] {
  return fieldsOf(type)
    .filter((field) => !fieldsOfServers.has(field.name.value))
    .flatMap((field) => {
      const path = `${name}.${field.name.value}`;
      if (known.get(name)?.fields.has(field.name.value) === true) return [`${path} is a field of ours: rename yours`];
      return nullableFaults(path, field);
    });
}

function entityFaults(name: string, type: TypeNode, our: OurType): string[] {
  const keys = (type.directives ?? []).filter((each) => each.name.value.replace(/^federation__/, '') === 'key');
  const other = keys.map(fieldsOfKey).find((fields) => fields !== 'id');
  const faults =
    other === undefined ? [] : [`${name} has the key ${JSON.stringify(other)}: the key of our entities is "id"`];
  if (type.kind !== Kind.OBJECT_TYPE_DEFINITION && type.kind !== Kind.OBJECT_TYPE_EXTENSION)
    return [...faults, `${name} is an object type of ours: extend it with "type ${name} @key(fields: \\"id\\")"`];
  for (const field of type.fields ?? []) {
    const path = `${name}.${field.name.value}`;
    const ours = our.fields.get(field.name.value);
    if (ours === undefined) faults.push(...nullableFaults(path, field));
    else if (ours !== print(field.type)) faults.push(`${path} is ${ours} with us, not ${print(field.type)}`);
    else if (field.name.value !== 'id' && !isExternal(field))
      faults.push(`${path} is a field of ours: leave it out, or mark it @external`);
  }
  return faults;
}

/** What a field provides, its own subgraph answers: that can't be a field of ours. */
function providedFaults(types: readonly TypeNode[], known: ReadonlyMap<string, OurType>): string[] {
  const typeOfField = new Map<string, string>();
  for (const type of types)
    for (const field of fieldsOf(type))
      typeOfField.set(`${type.name.value}.${field.name.value}`, namedType(field.type));
  const look = (type: string, { selections }: SelectionSetNode): string[] =>
    selections.flatMap((selection) => {
      if (selection.kind === Kind.FRAGMENT_SPREAD) return [];
      if (selection.kind === Kind.INLINE_FRAGMENT)
        return look(selection.typeCondition?.name.value ?? type, selection.selectionSet);
      const { name, selectionSet } = selection;
      const our = known.get(type);
      const isOurs = our?.isEntity === true && our.fields.has(name.value) && name.value !== 'id';
      const below = typeOfField.get(`${type}.${name.value}`) ?? '';
      return [
        ...(isOurs ? [`${type}.${name.value}`] : []),
        ...(selectionSet === undefined ? [] : look(below, selectionSet)),
      ];
    });
  return types.flatMap((type) =>
    fieldsOf(type).flatMap((field) => {
      const provides = (field.directives ?? []).filter(({ name }) => /(^|__)provides$/.test(name.value));
      return provides
        .flatMap((each) => selectionsOf(fieldsOfKey(each)))
        .flatMap((set) => look(namedType(field.type), set))
        .map(
          (path) =>
            `${type.name.value}.${field.name.value} provides ${path}, which is a field of ours: leave it out, only we answer it`,
        );
    }),
  );
}

/** None if it is no selection: the composer says so. */
function selectionsOf(fields: string): readonly SelectionSetNode[] {
  try {
    const [operation] = parse(`{ ${fields} }`, { maxTokens: mostTokens }).definitions;
    return operation?.kind === Kind.OPERATION_DEFINITION ? [operation.selectionSet] : [];
  } catch {
    return [];
  }
}

function namedType(type: TypeNodeOfField): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : namedType(type.type);
}

/** A subgraph that is away must cost its own fields only. */
function nullableFaults(path: string, { type }: FieldDefinitionNode): string[] {
  if (type.kind !== Kind.NON_NULL_TYPE) return [];
  return [`${path} must be nullable: when your subgraph is away, it is null, and all other fields are there`];
}

function isExternal({ directives = [] }: FieldDefinitionNode): boolean {
  return directives.some(({ name }) => name.value.replace(/^federation__/, '') === 'external');
}

function fieldsOfKey({ arguments: given = [] }: ConstDirectiveNode): string {
  const value = given.find(({ name }) => name.value === 'fields')?.value;
  return value?.kind === Kind.STRING ? value.value.trim() : '';
}

/** A value type may be declared with some of its fields. */
function isSamePart(type: TypeNode, our: OurType): boolean {
  if (type.kind !== Kind.OBJECT_TYPE_DEFINITION) return shapeOf(type) === our.text;
  return fieldsOf(type).every((field) => our.fields.get(field.name.value) === print(field.type));
}

/** Without descriptions and directives. */
function shapeOf(type: TypeNode): string {
  return print(
    visit(type, {
      Directive: () => null,
      enter: (node) =>
        'description' in node && node.description !== undefined ? { ...node, description: undefined } : undefined,
    }),
  );
}

function fieldsOf(type: TypeNode): readonly FieldDefinitionNode[] {
  return 'fields' in type
    ? ((type.fields ?? []) as readonly FieldDefinitionNode[]).filter(({ kind }) => kind === Kind.FIELD_DEFINITION)
    : [];
}
