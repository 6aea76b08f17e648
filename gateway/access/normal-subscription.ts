// Normalises a client's subscription for sharing: without name, without its own `after` (the gateway chooses the start of an upstream), without the
// values of its filter if the feed's items have facets (the gateway filters), and always with the cursor (the gateway resumes from it).
import { createHash } from 'node:crypto';
import {
  type ArgumentNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLNamedType,
  GraphQLString,
  getArgumentValues,
  getNamedType,
  getNullableType,
  isInputObjectType,
  isLeafType,
  isObjectType,
  isRequiredArgument,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  parseType,
  print,
  type SelectionNode,
  specifiedRules,
  type VariableDefinitionNode,
  validate,
  valueFromAST,
  visit,
} from 'graphql';
import { CodedError } from '../../platform/errors/errors.ts';
import { cursorAlias } from '../../platform/events/cursor.ts';
import { coercedVariables } from '../execution/coerced-variables.ts';
import type { Supergraph } from '../supergraph/supergraph.ts';
import { FeedFilter, type FilterArgument } from './feed-filter.ts';
import { InvalidGraphqlDocument } from './invalid-document.ts';

/** The gateway's variable for `after`. */
export const afterVariable = '_gatewayAfter';
const longestCursor = 1024;
/** Followed by the name of a filtering argument. */
const filterVariable = '_gatewayFilter_';

export interface NormalSubscription {
  /** Id of the supergraph for which it was found to be valid. */
  readonly supergraphId: symbol;
  /**
   * SHA-256 of the document and the variables: the same for all clients with the same subscription, regardless of their filters.
   */
  readonly key: string;
  /** SHA-256 of the document alone: the key of its plan. */
  readonly planKey: string;
  readonly document: DocumentNode;
  /** Without `afterVariable` and the filter's variables. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** Whether the feed's items have facets. */
  readonly isFiltered: boolean;
  readonly filter: FeedFilter;
  /** Name of the root field. */
  readonly feed: string;
  /** Response name of the root field. */
  readonly rootKey: string;
  /** The client's start position. Undefined for the present. */
  readonly after: string | undefined;
}

/** The part that depends on the document alone. */
interface NormalDocument {
  readonly supergraphId: symbol;
  readonly filteredFeeds: ReadonlySet<string>;
  readonly feed: GraphQLField<unknown, unknown>;
  /** The root field as the client wrote it. */
  readonly root: FieldNode;
  readonly isFiltered: boolean;
  readonly document: DocumentNode;
  readonly planKey: string;
  readonly variables: ReadonlySet<string>;
}

/** Clients that send a known document share one object. Normalising a large one takes a millisecond or more. */
const normalDocuments = new WeakMap<OperationDefinitionNode, NormalDocument>();

/** Throws InvalidGraphqlDocument or a CodedError; the document has been validated already. */
export function normaliseSubscription(
  supergraph: Supergraph,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
  filteredFeeds: ReadonlySet<string>,
): NormalSubscription {
  const coerced = coercedVariables(supergraph.schema, operation, variables);
  if (coerced.errors !== undefined) throw InvalidGraphqlDocument.of(coerced.errors);
  const normal = normalDocument(supergraph, document, operation, filteredFeeds);
  const { feed, root, isFiltered, planKey } = normal;
  const afterNode = root.arguments?.find((argument) => argument.name.value === 'after')?.value;
  const kept = Object.fromEntries(Object.entries(coerced.coerced).filter(([name]) => normal.variables.has(name)));
  return {
    supergraphId: supergraph.id,
    key: createHash('sha256').update(planKey).update(stableText(kept)).digest('hex'),
    planKey,
    document: normal.document,
    variables: kept,
    isFiltered,
    filter: new FeedFilter(isFiltered ? givenOf(feed, root, coerced.coerced) : []),
    feed: feed.name,
    rootKey: root.alias?.value ?? root.name.value,
    after: readAfter(afterNode === undefined ? undefined : valueFromAST(afterNode, GraphQLString, coerced.coerced)),
  };
}

function normalDocument(
  supergraph: Supergraph,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  filteredFeeds: ReadonlySet<string>,
): NormalDocument {
  const known = normalDocuments.get(operation);
  if (known?.supergraphId === supergraph.id && known.filteredFeeds === filteredFeeds) return known;
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);

  const [first, ...same] = rootFields(operation.selectionSet.selections, fragments);
  const feed =
    first === undefined
      ? undefined
      : supergraph.rootType(OperationTypeNode.SUBSCRIPTION)?.getFields()[first.name.value];
  if (first === undefined || feed === undefined)
    throw new CodedError('INVALID_INPUT', 'A subscription must select exactly one field of the schema.');
  const isFiltered = filteredFeeds.has(feed.name);
  const filterArguments = isFiltered ? feed.args.filter(({ name }) => name !== 'after') : [];
  const own = isFiltered ? [] : (first.arguments ?? []).filter((argument) => argument.name.value !== 'after');
  const root: FieldNode = {
    ...first,
    arguments: [...own, ...filterArguments.map(filterArgument), afterArgument],
    selectionSet: {
      kind: Kind.SELECTION_SET,
      // Merges repeated selections of the single field, like execution.
      selections: [...[first, ...same].flatMap((field) => field.selectionSet?.selections ?? []), cursorSelection],
    },
  };
  const used = usedBy(root, fragments);
  if (used.reserved)
    throw new CodedError('INVALID_INPUT', 'Names that begin with _gateway are reserved for the gateway.');
  const normal: DocumentNode = {
    kind: Kind.DOCUMENT,
    definitions: [
      {
        kind: Kind.OPERATION_DEFINITION,
        operation: OperationTypeNode.SUBSCRIPTION,
        variableDefinitions: [
          ...(operation.variableDefinitions ?? []).filter((definition) =>
            used.variables.has(definition.variable.name.value),
          ),
          ...filterArguments.map(filterDefinition),
          afterDefinition,
        ],
        selectionSet: { kind: Kind.SELECTION_SET, selections: [root] },
      },
      ...[...fragments.values()].filter((fragment) => used.fragments.has(fragment.name.value)),
    ],
  };
  const made: NormalDocument = {
    ...{ supergraphId: supergraph.id, filteredFeeds, feed, root: first, isFiltered, variables: used.variables },
    document: normal,
    planKey: createHash('sha256').update(print(normal)).digest('hex'),
  };
  normalDocuments.set(operation, made);
  return made;
}

/** Every subscription field must be resumable. Throws with the name of any other. Called at the start of the gateway. */
export function checkResumable(supergraph: Supergraph): void {
  for (const field of Object.values(supergraph.rootType(OperationTypeNode.SUBSCRIPTION)?.getFields() ?? {})) {
    const payload = getNamedType(field.type);
    const cursor = isObjectType(payload) ? payload.getFields().cursor : undefined;
    if (cursor === undefined || !field.args.some((argument) => argument.name === 'after'))
      throw new Error(`Subscription.${field.name} needs an argument "after" and a payload with a field "cursor"`);
  }
}

/**
 * The arguments of such a feed other than `after` are its filter: optional scalars, enums, input objects of these, or lists of them. Throws with the
 * name of any other argument. Called when the gateway starts.
 */
export function checkFiltered(supergraph: Supergraph, filteredFeeds: ReadonlySet<string>): void {
  const fields = supergraph.rootType(OperationTypeNode.SUBSCRIPTION)?.getFields() ?? {};
  for (const name of filteredFeeds)
    for (const argument of fields[name]?.args ?? [])
      if (isRequiredArgument(argument) || argument.defaultValue != null || !canFilter(getNamedType(argument.type)))
        throw new Error(`Subscription.${name}: the argument "${argument.name}" can't filter in the gateway`);
}

function canFilter(type: GraphQLNamedType): boolean {
  if (!isInputObjectType(type)) return isLeafType(type);
  return Object.values(type.getFields()).every((field) => isLeafType(getNullableType(field.type)));
}

/** The given arguments of a filter. */
function givenOf(
  feed: GraphQLField<unknown, unknown>,
  node: FieldNode,
  variables: Readonly<Record<string, unknown>>,
): readonly FilterArgument[] {
  const values = getArgumentValues(feed, node, variables);
  return feed.args.flatMap(({ name, type }) => {
    const value = values[name];
    return name === 'after' || value == null
      ? []
      : [{ name, variable: `${filterVariable}${name}`, value: withDefaults(value, getNamedType(type)) }];
  });
}

/** A null field of an input object means its default, as in the facets of the items. */
function withDefaults(value: unknown, type: GraphQLNamedType): unknown {
  if (!isInputObjectType(type)) return value;
  if (Array.isArray(value)) return value.map((each) => withDefaults(each, type));
  const given = value as Readonly<Record<string, unknown>>;
  const fields = Object.values(type.getFields());
  return Object.fromEntries(fields.map(({ name, defaultValue }) => [name, given[name] ?? defaultValue ?? null]));
}

function filterArgument({ name }: GraphQLArgument): ArgumentNode {
  const variable = { kind: Kind.NAME, value: `${filterVariable}${name}` } as const;
  return {
    kind: Kind.ARGUMENT,
    name: { kind: Kind.NAME, value: name },
    value: { kind: Kind.VARIABLE, name: variable },
  };
}

function filterDefinition({ name, type }: GraphQLArgument): VariableDefinitionNode {
  return {
    kind: Kind.VARIABLE_DEFINITION,
    variable: { kind: Kind.VARIABLE, name: { kind: Kind.NAME, value: `${filterVariable}${name}` } },
    type: parseType(type.toString()),
  };
}

const afterArgument: ArgumentNode = {
  kind: Kind.ARGUMENT,
  name: { kind: Kind.NAME, value: 'after' },
  value: { kind: Kind.VARIABLE, name: { kind: Kind.NAME, value: afterVariable } },
};

const afterDefinition: VariableDefinitionNode = {
  kind: Kind.VARIABLE_DEFINITION,
  variable: { kind: Kind.VARIABLE, name: { kind: Kind.NAME, value: afterVariable } },
  type: { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: 'String' } },
};

const cursorSelection: FieldNode = {
  kind: Kind.FIELD,
  name: { kind: Kind.NAME, value: 'cursor' },
  alias: { kind: Kind.NAME, value: cursorAlias },
};

/** Throws INVALID_CURSOR if it is not a cursor at all. */
export function readAfter(after: unknown): string | undefined {
  if (after == null) return undefined;
  if (typeof after === 'string' && after.length <= longestCursor) return after;
  throw new CodedError(
    'INVALID_CURSOR',
    'after: this is not a cursor of the status stream; pass the `cursor` of an item, or `statusCursor`',
  );
}

function rootFields(
  selections: readonly SelectionNode[],
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): readonly FieldNode[] {
  return selections.flatMap((selection): readonly FieldNode[] => {
    if ((selection.directives ?? []).length > 0)
      throw new CodedError('INVALID_INPUT', 'Directives are not allowed on the root field of a subscription.');
    if (selection.kind === Kind.FIELD) return [selection];
    if (selection.kind === Kind.INLINE_FRAGMENT) return rootFields(selection.selectionSet.selections, fragments);
    return rootFields(fragments.get(selection.name.value)?.selectionSet.selections ?? [], fragments);
  });
}

/** The variables and fragments that a field needs, directly or through its fragments. */
function usedBy(root: FieldNode, all: ReadonlyMap<string, FragmentDefinitionNode>) {
  const variables = new Set<string>();
  const fragments = new Set<string>();
  let reserved = false;
  const look = (node: FieldNode | FragmentDefinitionNode): void => {
    visit(node, {
      Field: (field) => {
        if (field !== cursorSelection && field.alias?.value === cursorAlias) reserved = true;
      },
      Variable: ({ name }) => {
        if (!name.value.startsWith(filterVariable)) variables.add(name.value);
      },
      FragmentSpread: ({ name }) => {
        const fragment = all.get(name.value);
        if (fragment === undefined || fragments.has(name.value)) return;
        fragments.add(name.value);
        look(fragment);
      },
    });
  };
  look(root);
  // Only the `after` that was added above remains.
  variables.delete(afterVariable);
  return { variables, fragments, reserved };
}

/** JSON with sorted keys. */
function stableText(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

/** Whether a subscription that was valid for another graph is valid for this one. */
export function fits({ document }: Pick<NormalSubscription, 'document'>, { schema }: Supergraph): boolean {
  return validate(schema, document, specifiedRules, { maxErrors: 1 }).length === 0;
}
