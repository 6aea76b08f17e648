// Rules that make five subgraphs read as one graph (docs/graph.md). Each finds its faults in the schema that clients see. A fault that
// is right is in `exceptions`, with its reason.
import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLInputObjectType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import { roleIn } from '../../platform/graph/terms.ts';
import { elementsOf } from '../client-changes.ts';
import { deprecationForm, deprecationOf } from '../deprecation.ts';

type Output = GraphQLField<unknown, unknown>;

/** A field of an object or input, and where it is: `Type.field`. */
interface Placed<Field> {
  readonly path: string;
  readonly type: string;
  readonly field: Field;
}

interface Graph {
  readonly queries: readonly Output[];
  readonly mutations: readonly Output[];
  readonly subscriptions: readonly Output[];
  /** Without the root types. */
  readonly objects: readonly GraphQLObjectType[];
  readonly outputs: readonly Placed<Output>[];
  readonly inputs: readonly Placed<GraphQLInputField>[];
  readonly inputTypes: readonly GraphQLInputObjectType[];
  readonly types: readonly GraphQLNamedType[];
  /** Types that implement Node. */
  readonly entities: readonly GraphQLObjectType[];
  readonly elements: ReturnType<typeof elementsOf>;
}

interface Rule {
  readonly name: string;
  /** Paths of the violations. */
  find(graph: Graph): readonly string[];
}

/** Accepted faults, by path, with the reason. At most ten. */
const exceptions: Readonly<Record<string, string>> = {
  objectContainers: 'clusters list containers by name and in no other order',
  'ObjectClusterCreateInput.zone': 'a failure domain as OpenStack Swift calls it, which is text and no DNS zone',
  'ObjectClusterUpdateInput.zone': 'a failure domain as OpenStack Swift calls it, which is text and no DNS zone',
};

const verbs =
  /(Create|Update|Delete|Set|Add|Remove|Attach|Detach|Start|Pause|Resume|Cancel|Accept|Revoke|Begin|Confirm|Close|Lift|Verify|Settle|Adopt|Release|Replace|Restore|Share|Unshare|Drain|Undrain|Enable|Disable|Freeze|Unfreeze|Call|Refresh|Move|Import|Export|Expire|Issue|Renew|Invite|Join|Forget|End|Retry|Announce|Switchover|Acknowledge|CheckIn|Test)$/;
const loginMutations: ReadonlySet<string> = new Set(['login', 'logout', 'sessionRefresh', 'relayCall']);
const timeNames = /(At|Until|From|Since|Before)$|^(from|until|since|before)$/;
const rawJson: ReadonlySet<string> = new Set([
  // Plugins of checks come from a folder of the deployer's: their parameters are known when a checker reports their schema.
  'GslbPluginParameters.values',
  'GslbMonitorParametersInput.plugin',
  'GslbPoolMemberParametersInput.plugin',
  // Operations of drivers that have no typed mutation: the driver's JSON Schema describes their arguments and results.
  'RelayDriverOperation.example',
  'RelayCallInput.arguments',
  'RelayReadInput.arguments',
  'RelayOperation.arguments',
  'RelayOperation.result',
  'RelayRead.result',
  // The driver's JSON Schema describes them, too.
  'Backend.options',
  'BackendCreateInput.options',
  'BackendUpdateInput.options',
  // Each action has its own.
  'AuditEntry.details',
  // As inputs of the mutations that they name, which the graph describes.
  'ConfigurationVersion.settings',
  'ConfigurationChange.before',
  'ConfigurationChange.after',
  'ConfigurationRestore.input',
]);

const isPage = (type: GraphQLOutputType) => getNamedType(type).name.endsWith('Connection');
const itemOf = (type: GraphQLOutputType) => {
  const named = getNamedType(type);
  const nodes = isObjectType(named) ? named.getFields().nodes : undefined;
  const item = nodes && getNamedType(nodes.type);
  return isObjectType(item) || isInterfaceType(item) ? item : undefined;
};
const words = (text: string | null | undefined) => (text ?? '').split(/\s+/).filter((word) => word !== '').length;

const rules: readonly Rule[] = [
  {
    name: '1 roots are nullable',
    find: ({ queries, mutations }) =>
      [...queries, ...mutations].filter(({ type }) => isNonNullType(type)).map(({ name }) => name),
  },
  {
    name: '2 connections count',
    find: ({ objects }) =>
      objects
        .filter(({ name }) => name.endsWith('Connection'))
        .filter((type) => type.getFields().totalCount === undefined)
        .map(({ name }) => name),
  },
  {
    name: '2 root lists have an order',
    find: ({ queries }) =>
      queries.filter(({ type, args }) => isPage(type) && !has(args, 'orderBy')).map(({ name }) => name),
  },
  {
    name: '3 lists of named things filter by name',
    find: ({ queries }) =>
      queries
        .filter(({ type, args }) => {
          const isNamed = isPage(type) && itemOf(type)?.getFields().name !== undefined;
          return isNamed && !args.some(({ name }) => /^(names|text)$/.test(name));
        })
        .map(({ name }) => name),
  },
  {
    name: '3 filters by an enum are lists with plural names',
    find: ({ queries, outputs }) =>
      [...queries.map((field) => ({ path: `Query.${field.name}`, field })), ...outputs].flatMap(({ path, field }) =>
        isPage(field.type)
          ? field.args
              .filter(({ type, name }) => {
                if (name === 'orderBy' || !isEnumType(getNamedType(type))) return false;
                return !isListType(getNullableType(type)) || !name.endsWith('s');
              })
              .map(({ name }) => `${path}(${name})`)
          : [],
      ),
  },
  { name: '4 a name has one shape over Node', find: ({ entities }) => shapesPerName(entities) },
  {
    name: '5 statuses are shared',
    find: ({ types }) =>
      types.filter(isEnumType).flatMap(({ name }) => (/.(Operating|Provisioning)Status$/.test(name) ? [name] : [])),
  },
  {
    name: '6 names of times end in At, Until, From, Since or Before',
    find: ({ outputs }) => pathsOf(outputs, ({ type, name }) => is(type, 'DateTime') && !timeNames.test(name)),
  },
  {
    name: '6 entities have version, createdAt and updatedAt',
    find: ({ entities }) =>
      entities
        .filter((type) => ['version', 'createdAt', 'updatedAt'].some((name) => type.getFields()[name] === undefined))
        .map(({ name }) => name),
  },
  {
    name: '7 durations are Int and end in Ms; seconds only for TTL and HSTS',
    find: ({ outputs, inputs }) => [
      ...pathsOf(outputs, (field) => isBadDuration(field)),
      ...pathsOf(inputs, (field) => isBadDuration(field)),
    ],
  },
  {
    name: '7 bytes and counters are BigInt, shares are percent',
    find: ({ outputs, inputs }) => [
      ...pathsOf(outputs, ({ type, name }) => is(type, 'Float') && !/(Percent|tude|Km)$/.test(name)),
      ...pathsOf(inputs, ({ type, name }) => is(type, 'Float') && !/(Percent|tude|Km)$/.test(name)),
      ...pathsOf(outputs, ({ type, name }) => /[a-z]Bytes$/.test(name) && !is(type, 'BigInt')),
    ],
  },
  {
    name: '8 booleans are positive adjectives',
    find: ({ outputs, inputs }) => [...pathsOf(outputs, isBadBoolean), ...pathsOf(inputs, isBadBoolean)],
  },
  {
    name: '9 outputs link objects',
    find: ({ outputs }) =>
      pathsOf(
        outputs.filter(({ type }) => !/Payload$|FeedItem$/.test(type)),
        ({ type, name }) =>
          (is(type, 'ID') && name !== 'id' && name !== 'subjectId') ||
          (/^(driver|primary|previous|switchoverTo|requestedBy|createdBy|settledBy|actor|optionName|vantagePoint|vantagePoints|clustersOf)$/.test(
            name,
          ) &&
            isLeafType(getNamedType(type))),
      ),
  },
  {
    name: '9 inputs refer by Id or Ids',
    find: ({ inputs }) =>
      pathsOf(
        inputs,
        ({ type, name }) =>
          (is(type, 'ID') && !/^id$|^ids$|Ids?$/.test(name)) ||
          (is(type, 'String') && /^(option|cluster|vantagePoints|flavor|zone)$/.test(name)),
      ),
  },
  {
    name: '10 JSON only where nothing else fits',
    find: ({ outputs, inputs }) =>
      [...pathsOf(outputs, ({ type }) => is(type, 'JSON')), ...pathsOf(inputs, ({ type }) => is(type, 'JSON'))].filter(
        (path) => !rawJson.has(path),
      ),
  },
  {
    name: '11 mutations are an object and a verb',
    find: ({ mutations }) =>
      mutations.filter(({ name }) => !verbs.test(name) && !loginMutations.has(name)).map(({ name }) => name),
  },
  {
    name: '12 defaults are in the SDL',
    find: ({ inputs }) =>
      pathsOf(
        inputs.filter(({ type }) => /(Create|Tree)Input$/.test(type)),
        ({ defaultValue, description }) =>
          defaultValue === undefined &&
          /Default: (true|false|\d+|[A-Z][A-Z_0-9]+(, [A-Z_0-9]+)*|\/)\.?$/.test(description ?? ''),
      ),
  },
  {
    name: '12 exactly one is @oneOf',
    find: ({ inputTypes }) =>
      inputTypes
        .filter((type) => {
          const texts = [type.description, ...Object.values(type.getFields()).map(({ description }) => description)];
          return !type.isOneOf && texts.some((text) => /give (exactly )?one\b/i.test(text ?? ''));
        })
        .map(({ name }) => name),
  },
  {
    name: '13 mutations document their role and codes',
    find: ({ mutations }) =>
      mutations
        .filter(({ description }) => !/ Role: [A-Z]+\b.*\. Refuses: [A-Z_]+(, [A-Z_]+)*\.$/s.test(description ?? ''))
        .map(({ name }) => name),
  },
  {
    name: '13 an input documents the role of its mutation, or none',
    find: ({ mutations }) =>
      mutations
        .filter(({ description, args }) => {
          const told = args
            .map(({ type }) => roleIn(getNamedType(type).description))
            .find((role) => role !== undefined);
          return told !== undefined && told !== roleIn(description);
        })
        .map(({ name }) => name),
  },
  {
    name: '13 a role has the form "Role: MEMBER."',
    find: ({ elements }) =>
      [...elements.values()]
        .filter(({ description }) =>
          /\b(Members|Operators|Administrators|Machines|Viewers)\b[^.]*\bonly\./.test(description ?? ''),
        )
        .map(({ path }) => path),
  },
  {
    name: '14 descriptions have four words or more, and at most 200 characters',
    find: (graph) => describedPaths(graph).flatMap(([path, text]) => (isGoodDescription(path, text) ? [] : [path])),
  },
  {
    name: '15 items of a stream have cursor, kind and subjectId',
    find: ({ objects }) =>
      objects
        .filter(({ name }) => name.endsWith('FeedItem'))
        .filter((type) => ['cursor', 'kind', 'subjectId'].some((name) => type.getFields()[name] === undefined))
        .map(({ name }) => name),
  },
  {
    name: '16 plain lists of objects have a size',
    find: ({ outputs, queries }) => [
      ...pathsOf(outputs, isListWithoutSize),
      ...queries.filter(isListWithoutSize).map(({ name }) => name),
    ],
  },
  {
    name: '17 every value is offered',
    find: ({ types }) =>
      types.filter(isEnumType).flatMap((type) =>
        type
          .getValues()
          .filter(({ description }) => /not offered/i.test(description ?? ''))
          .map(({ name }) => `${type.name}.${name}`),
      ),
  },
  {
    name: '18 deprecations name the successor and a date',
    find: ({ elements }) =>
      [...elements.values()]
        .filter(({ directives }) => directives.some(({ name }) => name.value === 'deprecated'))
        .filter(({ directives }) => !elements.has(deprecationOf(directives)?.successor ?? ''))
        .map(({ path }) => `${path} (${deprecationForm})`),
  },
];

/** Faults by rule. `schema`: the clients' view. */
export function findStyleFaults(schema: GraphQLSchema): ReadonlyMap<string, readonly string[]> {
  const graph = graphOf(schema);
  return new Map(rules.map(({ name, find }) => [name, find(graph).filter((path) => !(path in exceptions))]));
}

function graphOf(schema: GraphQLSchema): Graph {
  const types = Object.values(schema.getTypeMap()).filter(({ name }) => !name.startsWith('__'));
  const roots = new Set([schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]);
  const objects = types.filter(isObjectType).filter((type) => !roots.has(type));
  const inputTypes = types.filter(isInputObjectType);
  const node = schema.getType('Node');
  return {
    queries: Object.values(schema.getQueryType()?.getFields() ?? {}),
    mutations: Object.values(schema.getMutationType()?.getFields() ?? {}),
    subscriptions: Object.values(schema.getSubscriptionType()?.getFields() ?? {}),
    objects,
    outputs: objects.flatMap((type) =>
      Object.values(type.getFields()).map((field) => ({ path: `${type.name}.${field.name}`, type: type.name, field })),
    ),
    inputs: inputTypes.flatMap((type) =>
      Object.values(type.getFields()).map((field) => ({ path: `${type.name}.${field.name}`, type: type.name, field })),
    ),
    inputTypes,
    types,
    entities: isInterfaceType(node) ? [...schema.getPossibleTypes(node)] : [],
    elements: elementsOf(schema),
  };
}

function has(args: readonly GraphQLArgument[], name: string): boolean {
  return args.some((each) => each.name === name);
}

function is(type: Output['type'] | GraphQLInputField['type'], name: string): boolean {
  return getNamedType(type).name === name;
}

function pathsOf<Field>(placed: readonly Placed<Field>[], isFault: (field: Field) => boolean): string[] {
  return placed.filter(({ field }) => isFault(field)).map(({ path }) => path);
}

function shapesPerName(entities: readonly GraphQLObjectType[]): string[] {
  const shapes = new Map<string, Map<string, string[]>>();
  for (const entity of entities)
    for (const { name, type } of Object.values(entity.getFields())) {
      const of = shapes.get(name) ?? new Map<string, string[]>();
      of.set(shapeOf(type), [...(of.get(shapeOf(type)) ?? []), entity.name]);
      shapes.set(name, of);
    }
  return [...shapes]
    .filter(([, of]) => of.size > 1)
    .map(([name, of]) => `${name} (${[...of].map(([shape, types]) => `${shape}: ${types.join(' ')}`).join('; ')})`);
}

/** Two fields of one name can be selected side by side if these are equal (GraphQL, section 5.3.2). */
function shapeOf(type: GraphQLOutputType): string {
  if (isNonNullType(type)) return `${shapeOf(type.ofType)}!`;
  if (isListType(type)) return `[${shapeOf(type.ofType)}]`;
  return isLeafType(type) ? type.name : '{}';
}

function isBadDuration({ type, name }: Output | GraphQLInputField): boolean {
  if (/Ms$/.test(name)) return !is(type, 'Int');
  return /(Seconds|Minutes|Hours|Days)$/.test(name) && !/(ttl|hsts)/i.test(name);
}

function isBadBoolean({ type, name }: Output | GraphQLInputField): boolean {
  return is(type, 'Boolean') && (/^(is|has)[A-Z]/.test(name) || name === 'disabled') && name !== 'hasNextPage';
}

/** Lists need a size for the gateway's cost limit (gateway/access/operation-measure.ts). */
function isListWithoutSize({ type, name, args, astNode }: Output): boolean {
  if (!isListType(getNullableType(type)) || isLeafType(getNamedType(type)) || name === 'nodes') return false;
  const hasSize = astNode?.directives?.some((directive) => directive.name.value === 'listSize');
  return hasSize !== true && name !== 'userErrors' && !has(args, 'limit');
}

/** Names that mean the same everywhere. */
const usual: ReadonlySet<string> = new Set(['id', 'input', 'first', 'after', 'nodes', 'pageInfo', 'totalCount']);

function describedPaths({ types, queries, mutations, subscriptions, outputs, inputs }: Graph): [string, string][] {
  const fields = [
    ...outputs,
    ...queries.map((field) => ({ path: `Query.${field.name}`, field })),
    ...mutations.map((field) => ({ path: `Mutation.${field.name}`, field })),
    ...subscriptions.map((field) => ({ path: `Subscription.${field.name}`, field })),
  ];
  const described = [
    ...fields.flatMap(({ path, field }) =>
      field.args.map(({ name, description }) => [`${path}(${name})`, description] as const),
    ),
    ...outputs.map(({ path, field }) => [path, field.description] as const),
    ...inputs.map(({ path, field }) => [path, field.description] as const),
    ...queries.map(({ name, description }) => [`Query.${name}`, description] as const),
    ...mutations.map(({ name, description }) => [`Mutation.${name}`, description] as const),
    ...types
      .filter(isEnumType)
      .flatMap((type) =>
        type.getValues().map(({ name, description }) => [`${type.name}.${name}`, description] as const),
      ),
  ];
  return described.map(([path, text]) => [path, text ?? '']);
}

function isGoodDescription(path: string, text: string): boolean {
  const name = /\w+(?=\)?$)/.exec(path)?.[0] ?? '';
  // In inputs, the description has to name the object.
  if (usual.has(name) && !path.endsWith('Input.id')) return true;
  // One word may be enough for a value's name. Refusals of mutations are a list.
  const least = /^[A-Z0-9_]+$/.test(name) ? 1 : 4;
  const most = path.startsWith('Mutation.') ? text.split(' Role: ')[0] : text;
  return words(text) >= least && (most?.length ?? 0) <= 200;
}
