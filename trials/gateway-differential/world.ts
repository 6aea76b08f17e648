// A random graph that runs: as one schema with all the data, and as subgraphs behind links that inject faults.
import {
  buildASTSchema,
  type DocumentNode,
  type ExecutionResult,
  execute,
  type FormattedExecutionResult,
  type GraphQLFieldResolver,
  type GraphQLOutputType,
  type GraphQLSchema,
  Kind,
  parse,
  type SelectionNode,
  validate,
} from 'graphql';
import { lostSubgraph } from '../../gateway/supergraph/lost-subgraph.ts';
import type { GatewayContext, LinkRequest, SubgraphLink } from '../../gateway/supergraph/subgraph-link.ts';
import { Supergraph } from '../../gateway/supergraph/supergraph.ts';
import { composeSupergraph } from '../../schema/compose.ts';
import { seededRandom } from '../random.ts';
import { type Effects, GraphData, type Item, mapped } from './data.ts';
import { baseOf, fieldNamesIn, type GraphPlan, type SubgraphPlan, selectionsOf } from './graph.ts';
import { executableSdl, subgraphSdl } from './print-sdl.ts';
import { randomGraph } from './split.ts';

/** The faults of one case. */
export interface Faults {
  readonly seed: number;
  /** The share of places that fail in every subgraph. Excludes keys, required fields, and fields that can't be null everywhere. */
  readonly everywhere: number;
  /** The share of places that fail in one subgraph, including keys. */
  readonly inOne: number;
  /** A subgraph that does not answer. */
  readonly lost?: string | undefined;
  /** Only its request with that number fails. */
  readonly lostRequest?: number | undefined;
  /** Share of entities that are null. */
  readonly nullEntities: number;
}

export const noFaults: Faults = { seed: 0, everywhere: 0, inOne: 0, nullEntities: 0 };

/** What happened in one execution. */
interface Run extends Effects {
  readonly faults: Faults;
  readonly requests: {
    readonly subgraph: string;
    readonly text: string;
    readonly variables: unknown;
    answer?: unknown;
  }[];
  /** Requests that the subgraph's schema refuses. */
  readonly invalid: string[];
}

interface RunContext extends GatewayContext {
  readonly run: Run;
}

export function newRun(faults: Faults): RunContext {
  const run: Run = { faults, mutations: [], requests: [], invalid: [] };
  return { identity: null, requestId: 'trial', loaders: new Map(), run };
}

export interface World {
  readonly supergraph: Supergraph;
  /** SDL by name. */
  readonly sdl: ReadonlyMap<string, string>;
  readonly links: ReadonlyMap<string, SubgraphLink>;
  /** Names of types and fields, which aliases may repeat. */
  readonly names: readonly string[];
  /** Executes on the one schema. `types` gets the type at every path that had a value or error. */
  whole(request: WholeRequest): Promise<ExecutionResult>;
}

interface WholeRequest {
  readonly document: DocumentNode;
  readonly operationName: string | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly context: RunContext;
  readonly types?: Map<string, GraphQLOutputType>;
}

/** Undefined if the graph does not compose. */
export function makeWorld(seed: number): World | undefined {
  const plan = randomGraph(seededRandom(seed));
  const sdl = new Map(plan.subgraphs.map((each) => [each.name, subgraphSdl(plan, each)]));
  let supergraph: Supergraph;
  let schemas: ReadonlyMap<SubgraphPlan, GraphQLSchema>;
  try {
    supergraph = new Supergraph(composeSupergraph(sdl));
    schemas = new Map(plan.subgraphs.map((each) => [each, buildASTSchema(parse(executableSdl(each)))]));
  } catch {
    return undefined;
  }
  const data = new GraphData(plan, seed);
  const keyFields = fieldsOfKeys(plan);
  const fault = (run: Run, type: string, item: Item | undefined, name: string) => {
    const { seed: faultSeed, everywhere } = run.faults;
    // If a client requests the same object twice, a plan may join the requests; then both are null.
    if (keyFields.has(name) || data.isStrict(type, name) || data.isNeverNull(type, name)) return;
    if (data.fails(faultSeed, everywhere, type, item, name)) throw new Error(`fault at ${type}.${name}`);
  };
  const resolve: GraphQLFieldResolver<unknown, { run: Run; types?: Map<string, GraphQLOutputType> }> = (
    source,
    args,
    context,
    info,
  ) => {
    context.types?.set(pathText(info.path), info.returnType);
    const item = source as Item | undefined;
    fault(context.run, item?.type ?? info.parentType.name, item, info.fieldName);
    return data.value(item?.type ?? info.parentType.name, item, info.fieldName, args, context.run);
  };
  return {
    ...{ supergraph, sdl },
    names: [
      ...new Set(plan.subgraphs.flatMap(({ types }) => [...types.values()].flatMap((each) => [...each.fields.keys()]))),
    ],
    links: new Map([...schemas].map(([each, schema]) => [each.name, new TrialLink(plan, each, schema, data, fault)])),
    async whole({ document, operationName, variables, context, types }) {
      return execute({
        ...{ schema: supergraph.schema, document, operationName, variableValues: variables },
        contextValue: { run: context.run, types },
        fieldResolver: resolve,
        typeResolver: (source: unknown) => (source as Item).type,
      });
    },
  };
}

/** `thing.0.name` without the indices of lists. */
function pathText(path: { readonly prev: unknown; readonly key: string | number } | undefined): string {
  if (path === undefined) return '';
  const rest = pathText(path.prev as typeof path);
  return `${rest}/${path.key}`;
}

/** Fields that subgraphs need for other fields. A fault there affects more than its own place. */
function fieldsOfKeys(plan: GraphPlan): ReadonlySet<string> {
  const texts = plan.subgraphs.flatMap(({ types }) =>
    [...types.values()].flatMap(({ keys, fields }) => [
      ...keys.map((key) => key.fields),
      ...[...fields.values()].flatMap(({ requires }) => requires ?? []),
    ]),
  );
  return new Set(texts.flatMap((text) => fieldNamesIn(selectionsOf(text))));
}

/** An object in a subgraph: the fields of the representation, and the fields that the returning field provides. */
interface Handle {
  readonly item: Item;
  readonly representation?: Readonly<Record<string, unknown>>;
  readonly provided?: readonly SelectionNode[];
}

class TrialLink implements SubgraphLink {
  readonly name: string;
  readonly #plan: GraphPlan;
  readonly #subgraph: SubgraphPlan;
  readonly #schema: GraphQLSchema;
  readonly #data: GraphData;
  readonly #fault: (run: Run, type: string, item: Item | undefined, name: string) => void;
  readonly #valid = new Map<string, string | undefined>();

  constructor(
    ...[plan, subgraph, schema, data, fault]: [
      GraphPlan,
      SubgraphPlan,
      GraphQLSchema,
      GraphData,
      (run: Run, type: string, item: Item | undefined, name: string) => void,
    ]
  ) {
    this.name = subgraph.name;
    this.#plan = plan;
    this.#subgraph = subgraph;
    this.#schema = schema;
    this.#data = data;
    this.#fault = fault;
  }

  async execute(request: LinkRequest): Promise<FormattedExecutionResult> {
    const { run } = request.context as RunContext;
    const asked: Run['requests'][number] = { subgraph: this.name, text: request.text, variables: request.variables };
    run.requests.push(asked);
    const wrong = this.#refusal(request);
    if (wrong !== undefined) run.invalid.push(`${this.name}: ${wrong}`);
    const { lost, lostRequest } = run.faults;
    const count = run.requests.filter(({ subgraph }) => subgraph === this.name).length;
    if (lost === this.name && (lostRequest === undefined || lostRequest === count)) {
      const isMutation = request.document.definitions.some(
        (each) => each.kind === Kind.OPERATION_DEFINITION && each.operation === 'mutation',
      );
      // Only the answer is lost. Later requests see the effect of the mutation.
      if (isMutation) await this.#answer(request, run);
      return lostSubgraph(this.name, request, isMutation);
    }
    const result = await this.#answer(request, run);
    // As over HTTP, nothing is shared with the gateway.
    const text = JSON.stringify({
      ...result,
      ...(result.errors === undefined
        ? {}
        : { errors: result.errors.map(({ message, path }) => ({ message, path, extensions: { code: 'TRIAL' } })) }),
    });
    asked.answer = text;
    return JSON.parse(text);
  }

  async #answer(request: LinkRequest, run: Run): Promise<ExecutionResult> {
    return execute({
      schema: this.#schema,
      document: request.document,
      variableValues: JSON.parse(JSON.stringify(request.variables)),
      operationName: request.operationName,
      contextValue: run,
      fieldResolver: this.#resolve,
      typeResolver: (source: unknown) => this.#typeOf(source as Handle),
    });
  }

  async subscribe(): Promise<FormattedExecutionResult> {
    throw new Error('the trial has no subscriptions');
  }

  async ready(): Promise<boolean> {
    return true;
  }

  async close(): Promise<void> {}

  #refusal({ text, document }: LinkRequest): string | undefined {
    if (!this.#valid.has(text)) {
      const errors = validate(this.#schema, document);
      this.#valid.set(text, errors[0] === undefined ? undefined : `${errors[0].message} in ${text}`);
    }
    return this.#valid.get(text);
  }

  readonly #resolve: GraphQLFieldResolver<unknown, Run> = (source, args, run, info) => {
    const { fieldName: name, parentType } = info;
    if (parentType.name === 'Query' && name === '_entities') return this.#entities(args.representations, run);
    const handle = source as Handle | undefined;
    const type = handle?.item.type ?? parentType.name;
    const part = this.#subgraph.types.get(parentType.name)?.fields.get(name);
    const isProvided = handle?.provided !== undefined && namesFor(handle.provided, type).includes(name);
    if (part === undefined) throw new Error(`${parentType.name}.${name} is not in subgraph ${this.name}`);
    if (part.external && !isProvided) throw new Error(`poison: ${type}.${name} is external in ${this.name}`);
    const overridden = this.#plan.subgraphs.some(
      ({ types }) => types.get(parentType.name)?.fields.get(name)?.override === this.name,
    );
    if (overridden) throw new Error(`poison: ${type}.${name} was taken from ${this.name}`);
    this.#fault(run, type, handle?.item, name);
    const { seed, inOne } = run.faults;
    const isNullable = !this.#data.isStrict(type, name);
    if (isNullable && this.#data.fails(seed, inOne, `${this.name} ${type}`, handle?.item, name)) {
      // A mutation that fails after it has taken effect. Later requests see its effect.
      if (type === 'Mutation') this.#data.value(type, undefined, name, args, run);
      throw new Error(`fault of ${this.name} at ${type}.${name}`);
    }
    if (part.requires !== undefined) {
      if (handle?.representation === undefined)
        throw new Error(`poison: ${type}.${name} was asked without what it requires`);
      const made = this.#data.computed(part.field, required(handle.representation, selectionsOf(part.requires)));
      return typeof made === 'string' ? made : { item: made as Item };
    }
    const value = this.#data.value(type, handle?.item, name, args, run);
    if (!this.#plan.types.has(baseOf(part.field.type))) return value;
    const provided = part.provides === undefined ? {} : { provided: selectionsOf(part.provides) };
    return mapped(value, (item): Handle => ({ item: item as Item, ...provided }));
  };

  #typeOf(handle: Handle): string {
    const asked = handle.representation?.__typename;
    const isInterfaceObject = typeof asked === 'string' && this.#subgraph.types.get(asked)?.kind === 'interfaceObject';
    return isInterfaceObject ? asked : handle.item.type;
  }

  #entities(representations: readonly Record<string, unknown>[], run: Run): readonly (Handle | null)[] {
    return representations.map((representation) => {
      const part = this.#subgraph.types.get(String(representation.__typename));
      if (part === undefined) throw new Error(`${this.name} has no entity ${representation.__typename}`);
      const types = part.kind === 'object' ? [part.name] : (this.#plan.types.get(part.name)?.members ?? []);
      const items = types.flatMap((type) => this.#data.items(type));
      for (const { fields, resolvable } of part.keys) {
        if (!resolvable) continue;
        const item = items.find((each) => this.#data.matches(each, selectionsOf(fields), representation));
        if (item === undefined) continue;
        const { seed, nullEntities } = run.faults;
        return this.#data.fails(seed, nullEntities, this.name, item, 'entity') ? null : { item, representation };
      }
      return null;
    });
  }
}

/** The fields that are selected for a type. */
function namesFor(selections: readonly SelectionNode[], type: string): readonly string[] {
  return selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return [selection.name.value];
    if (selection.kind !== Kind.INLINE_FRAGMENT || selection.typeCondition?.name.value !== type) return [];
    return namesFor(selection.selectionSet.selections, type);
  });
}

/** The required fields in a representation. Throws when one is missing. */
function required(representation: Readonly<Record<string, unknown>>, selections: readonly SelectionNode[]): object {
  const found: Record<string, unknown> = {};
  for (const selection of selections) {
    if (selection.kind === Kind.INLINE_FRAGMENT) {
      const names = fieldNamesIn(selection.selectionSet.selections);
      const type = representation.__typename;
      const isOther =
        type === undefined
          ? !names.every((name) => Object.hasOwn(representation, name))
          : type !== selection.typeCondition?.name.value;
      if (!isOther) Object.assign(found, required(representation, selection.selectionSet.selections));
    } else if (selection.kind === Kind.FIELD) {
      const { name, selectionSet } = selection;
      if (!Object.hasOwn(representation, name.value)) throw new Error(`poison: the representation lacks ${name.value}`);
      found[name.value] = mapped(representation[name.value], (each) =>
        selectionSet === undefined ? each : required(each as Record<string, unknown>, selectionSet.selections),
      );
    }
  }
  return found;
}
