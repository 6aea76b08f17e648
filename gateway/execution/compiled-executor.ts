// Compiles each operation once, into the requests for the subgraphs and the shape of the answer. A known operation is not parsed, planned or hashed
// again. All caches are limited in bytes.
import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  type FormattedExecutionResult,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  parse,
  print,
  visit,
} from 'graphql';
import type { Logger } from 'pino';
import { callerOf, currentCaller, forIdentity } from '../../platform/caller/caller.ts';
import type { Identity } from '../../platform/caller/identity.ts';
import { CodedError, invariant } from '../../platform/errors/errors.ts';
import { presentError } from '../../platform/graph/execution.ts';
import { FrequentCache } from '../../platform/values/frequent-cache.ts';
import { heldBytes } from '../../platform/values/held-bytes.ts';
import { NullObject } from '../../platform/values/null-object.ts';
import type {
  Executor,
  ExplainedStep,
  GatewayOperation,
  PreparedOperation,
  SubscriptionPlan,
} from '../supergraph/executor.ts';
import type { FetchTimes } from '../supergraph/fetch-times.ts';
import type { SubgraphLink } from '../supergraph/subgraph-link.ts';
import type { Supergraph } from '../supergraph/supergraph.ts';
import { coercedVariables } from './coerced-variables.ts';
import { explainedPlan } from './explained-plan.ts';
import { type Compilation, compileNode, type RootFetch, type Run, rootOf, type Step } from './fetches.ts';
import { conditionVariables, type NamedOperation, nameOperation } from './internal-names.ts';
import { MadeOnce } from './made-once.ts';
import { type Data, valueAt } from './merging.ts';
import type { PlanNode, Planner } from './planner.ts';
import { PossibleTypes } from './possible-types.ts';
import { type ShapedField, Shaper, type Shaping } from './shape.ts';

const maxPlanBytes = 32 * 1024 * 1024;
const maxOperationBytes = 64 * 1024 * 1024;
/**
 * Measured on 400 documents of 740 characters: 115 bytes per character with the parsed document, the plan and the compiled code, and 35 more for the
 * compiled query of a subgraph in this process. Text inside them takes 8.
 */
const bytesPerChar = 155;
const bytesPerTextChar = 8;
const bytesPerEntry = 2048;
/** In the caches all subscriptions count as one user, because many clients share each. */
const ofSubscriptions = 'subscriptions';
const ofProcess = 'process';

interface Source {
  readonly operation: OperationDefinitionNode;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /**
   * Variables in
   * @skip and
   * @include.
   */
  readonly conditions: readonly string[];
}

/** Steps run one after the other. Each is shaped before the next one begins. */
interface CompiledStep {
  readonly run: Step | undefined;
  readonly fields: readonly ShapedField[];
}

/** The plan of some root fields. */
interface RootPlan {
  readonly rootNames: readonly string[];
  readonly plan: PlanNode;
}

interface CompiledOperation {
  readonly steps: readonly CompiledStep[];
  /** Client's response names in order. */
  readonly order: readonly string[];
  readonly introspection: DocumentNode | undefined;
  readonly variables: ReadonlyMap<string, string>;
}

type Values = Readonly<Record<string, unknown>>;

interface CompiledExecutorOptions {
  readonly supergraph: Pick<Supergraph, 'sdl' | 'schema'>;
  readonly planner: Planner;
  readonly links: ReadonlyMap<string, SubgraphLink>;
  readonly fetchTimes?: FetchTimes | undefined;
  readonly log: Logger;
}

export class CompiledExecutor implements Executor {
  readonly #schema: GraphQLSchema;
  readonly #types: PossibleTypes;
  readonly #shaper: Shaper;
  readonly #planner: Planner;
  readonly #compilation: Compilation;
  readonly #log: Logger;
  readonly #sources = new FrequentCache<Source>({ maxBytes: maxOperationBytes, bytesOf: sourceBytes });
  readonly #operations = new MadeOnce<CompiledOperation>({ maxBytes: maxOperationBytes });
  /** Keyed by the text for the planner, which operations share. */
  readonly #plans = new MadeOnce<PlanNode | undefined>({ maxBytes: maxPlanBytes });

  constructor({ supergraph: { sdl, schema }, planner, links, fetchTimes, log }: CompiledExecutorOptions) {
    this.#schema = schema;
    this.#types = new PossibleTypes(parse(sdl, { noLocation: true }));
    this.#shaper = new Shaper(schema, this.#types);
    this.#planner = planner;
    this.#compilation = { links, types: this.#types, fetchTimes };
    this.#log = log;
  }

  async execute(operation: GatewayOperation): Promise<ExecutionResult> {
    const { requestId, identity } = operation.context;
    try {
      const source = this.#source(operation, callerOf(identity));
      const checked = coercedVariables(this.#schema, source.operation, operation.variables);
      if (checked.errors !== undefined)
        return { errors: checked.errors.map((error) => this.#presented(error, requestId)) };
      const compiled = await this.#compiled(operation.key, source, checked.coerced, identity);
      operation.context.times?.done('plan');
      return await this.#execute(compiled, checked.coerced, operation);
    } catch (error) {
      return { errors: [this.#presented(error, requestId)] };
    }
  }

  async explain(operation: GatewayOperation): Promise<ExplainedStep> {
    const { variables, context } = operation;
    const user = callerOf(context.identity);
    const source = this.#source(operation, user);
    const checked = coercedVariables(this.#schema, source.operation, variables);
    const [fault] = checked.errors ?? [];
    if (checked.coerced === undefined) throw new CodedError('INVALID_INPUT', fault?.message ?? 'A variable is wrong.');
    const named = this.#named(source, checked.coerced);
    const plans = await forIdentity(context.identity, () => this.#rootPlans(source.operation, named, user));
    const steps = plans.map(({ plan }) => explainedPlan(plan, named));
    const [only, ...others] = steps;
    return only !== undefined && others.length === 0 ? only : { inOrder: steps };
  }

  /** The variant in which each @include and @skip with a variable holds. */
  async prepare(operation: PreparedOperation): Promise<void> {
    const source = this.#source(operation, undefined);
    await this.#compiled(operation.key, source, Object.fromEntries(source.conditions.map((name) => [name, true])));
  }

  async planSubscription(key: string, document: DocumentNode, variables: Values): Promise<SubscriptionPlan> {
    const source = this.#source({ key, document }, ofSubscriptions);
    const named = this.#named(source, variables);
    const plan = await this.#plan(named.text(named.rootNames), ofSubscriptions);
    const [first, ...others] = plan === undefined ? [] : plan.kind === 'Sequence' ? plan.nodes : [plan];
    invariant(first?.kind === 'Subscription', 'the plan of a subscription is not a subscription');
    const compilation = this.#compilation;
    const rest =
      others.length === 0 ? undefined : compileNode({ kind: 'Sequence', nodes: others }, compilation, undefined);
    const { request, absorb } = rootOf(first.primary, compilation);
    const [rootName] = named.rootNames;
    const fields = this.#rootFields(source, named);
    const responseName = fields.find((field) => field.internalName === rootName)?.responseName;
    invariant(rootName !== undefined && responseName !== undefined, 'a subscription has no root field');
    const forSubgraph = inClientsWords(request.document, named, responseName);
    return {
      subgraph: first.primary.serviceName,
      text: print(forSubgraph),
      document: forSubgraph,
      operationName: request.operationName,
      variables: new Set(request.variables.map((name) => named.variables.get(name) ?? name)),
      complete: (events, operation) =>
        this.#complete({ absorb, rest, named, fields, responseName, rootName }, events, operation),
    };
  }

  /** The rest of the plan runs once, with the events' roots as a list at the root's name. */
  async #complete(
    plan: CompiledSubscription,
    events: readonly FormattedExecutionResult[],
    operation: GatewayOperation,
  ): Promise<readonly ExecutionResult[]> {
    const { absorb, rest, named, fields, rootName } = plan;
    try {
      const whole = newRun(named.variables, operation.variables, operation.context);
      const runs = events.map((event) => {
        const run = sharing(whole);
        absorb(rootAnswer(event, plan), run);
        return run;
      });
      whole.data[rootName] = runs.map(({ data }) => data[rootName]);
      await rest?.(whole);
      const shapedRuns = runs.map((run) => {
        run.faults?.beginAnswer();
        const errors: GraphQLError[] = [];
        const shaped = shapeStep({ run: undefined, fields }, run, errors);
        return { data: shaped && inOrder(shaped, [...shaped.keys()]), errors };
      });
      return shapedRuns.map(({ data, errors }) => answerOf(data, errors, whole));
    } catch (error) {
      const errors = [this.#presented(error, operation.context.requestId)];
      return events.map(() => ({ errors }));
    }
  }

  async #execute(compiled: CompiledOperation, coerced: Values, operation: GatewayOperation): Promise<ExecutionResult> {
    const { steps, order, introspection, variables } = compiled;
    const run = newRun(variables, coerced, operation.context);
    const errors: GraphQLError[] = [];
    const all = new Map<string, unknown>();
    for (const step of steps) {
      await step.run?.(run);
      const shaped = shapeStep(step, run, errors);
      if (shaped === undefined) return answerOf(null, errors, run);
      for (const [name, value] of shaped) all.set(name, value);
    }
    if (introspection !== undefined) {
      const result = await execute({
        schema: this.#schema,
        document: introspection,
        variableValues: operation.variables,
      });
      errors.push(...(result.errors ?? []));
      for (const [name, value] of Object.entries(result.data ?? {})) all.set(name, value);
    }
    return answerOf(inOrder(all, order), errors, run);
  }

  /** `user`: for the caches. Undefined for the gateway itself. */
  #source({ key, document, operationName }: PreparedOperation, user: string | undefined): Source {
    const known = this.#sources.get(key, user);
    if (known !== undefined) return known;
    const operation = getOperationAST(document, operationName);
    invariant(operation != null, 'the document has no such operation');
    const fragments = new Map(
      document.definitions.flatMap((each) =>
        each.kind === Kind.FRAGMENT_DEFINITION ? [[each.name.value, each] as const] : [],
      ),
    );
    const source = { operation, fragments, conditions: conditionVariables(operation, fragments) };
    this.#sources.set(key, source);
    return source;
  }

  /** `identity`: the caller whose turn it takes. Undefined for this process. */
  #compiled(key: string, source: Source, coerced: Values, identity?: Identity | null): Promise<CompiledOperation> {
    const variant = source.conditions.map((name) => (coerced[name] === true ? '1' : '0')).join('');
    const id = `${variant}/${key}`;
    const user = identity === undefined ? undefined : callerOf(identity);
    const known = this.#operations.known(id, user);
    if (known !== undefined) return known;
    const named = this.#named(source, coerced);
    const compile = () => this.#compile(source, named, user);
    return this.#operations.make(id, user ?? ofProcess, {
      bytes: planBytes(named.text(named.rootNames)),
      make: () => (identity === undefined ? compile() : forIdentity(identity, compile)),
    });
  }

  #named({ operation, fragments }: Source, coerced: Values): NamedOperation {
    return nameOperation({
      ...{ schema: this.#schema, types: this.#types, operation, fragments },
      condition: (name) => {
        const value = coerced[name];
        if (typeof value === 'boolean') return value;
        throw new CodedError(
          'INVALID_INPUT',
          `Variable "$${name}" must not be null: an @include or @skip depends on it.`,
        );
      },
    });
  }

  async #compile(source: Source, named: NamedOperation, user: string | undefined): Promise<CompiledOperation> {
    const fields = this.#rootFields(source, named);
    const { operation, fragments } = source;
    return {
      steps: await this.#steps(operation, named, fields, user),
      order: named.order,
      introspection: introspectionOf(named, operation, fragments),
      variables: named.variables,
    };
  }

  async #steps(
    operation: OperationDefinitionNode,
    named: NamedOperation,
    fields: readonly ShapedField[],
    user: string | undefined,
  ): Promise<readonly CompiledStep[]> {
    const plans = await this.#rootPlans(operation, named, user);
    const [only] = plans;
    if (plans.length < 2) return [{ run: only && this.#step(only.plan), fields }];
    const steps = plans.map(({ rootNames, plan }) => ({
      run: this.#step(plan),
      fields: fields.filter(({ internalName }) => rootNames.includes(internalName)),
    }));
    const others = fields.filter(({ internalName }) => !named.rootNames.includes(internalName));
    return [...steps, { run: undefined, fields: others }];
  }

  /** Executed one after the other. Empty for an operation without subgraphs. */
  async #rootPlans(
    operation: OperationDefinitionNode,
    named: NamedOperation,
    user: string | undefined,
  ): Promise<readonly RootPlan[]> {
    const { rootNames } = named;
    const whole = rootNames.length === 0 ? undefined : await this.#plan(named.text(rootNames), user);
    if (whole === undefined) return [];
    const isSerial = operation.operation === 'mutation' && rootNames.length > 1;
    // A single request, whose subgraph executes the fields one after the other.
    if (!isSerial || whole.kind === 'Fetch') return [{ rootNames, plan: whole }];
    const plans: RootPlan[] = [];
    for (const name of rootNames) {
      const plan = await this.#plan(named.text([name]), user);
      if (plan !== undefined) plans.push({ rootNames: [name], plan });
    }
    return plans;
  }

  #step(plan: PlanNode): Step {
    return compileNode(plan, this.#compilation);
  }

  #plan(text: string, user: string | undefined): Promise<PlanNode | undefined> {
    const known = this.#plans.known(text, user);
    if (known !== undefined) return known;
    const make = () => this.#planner.plan(text);
    return this.#plans.make(text, currentCaller() ?? ofProcess, { bytes: planBytes(text), make });
  }

  #rootFields({ operation }: Source, named: NamedOperation): readonly ShapedField[] {
    const type = this.#schema.getRootType(operation.operation);
    invariant(type != null, `the schema has no ${operation.operation}`);
    return this.#shaper.fields(type, [named.root]);
  }

  #presented(error: unknown, requestId: string): GraphQLError {
    const { message, path, extensions } = presentError(error, requestId, this.#log);
    return new GraphQLError(message, { path: path ?? null, extensions: extensions ?? {} });
  }
}

interface CompiledSubscription {
  /** Adds an event to the data. */
  readonly absorb: RootFetch['absorb'];
  readonly rest: Step | undefined;
  readonly named: NamedOperation;
  readonly fields: readonly ShapedField[];
  /** Name of the root field for the client. */
  readonly responseName: string;
  readonly rootName: string;
}

function newRun(names: ReadonlyMap<string, string>, values: Values, context: Run['context']): Run {
  const variables = new NullObject();
  for (const [internal, client] of names) if (Object.hasOwn(values, client)) variables[internal] = values[client];
  return { data: new NullObject(), variables, context, faults: undefined };
}

/** A run with separate data, which shares the faults of the whole. */
function sharing(whole: Run): Run {
  return {
    ...{ data: new NullObject(), variables: whole.variables, context: whole.context },
    get faults() {
      return whole.faults;
    },
    set faults(faults) {
      whole.faults = faults;
    },
  };
}

/** An event as the answer to the plan's first request. */
function rootAnswer(
  { data, errors }: FormattedExecutionResult,
  { responseName, rootName }: CompiledSubscription,
): FormattedExecutionResult {
  const inPlan = errors?.map((error) =>
    error.path?.[0] === responseName ? { ...error, path: [rootName, ...error.path.slice(1)] } : error,
  );
  return {
    ...(data == null ? {} : { data: { [rootName]: valueAt(data, responseName) } }),
    ...(inPlan === undefined ? {} : { errors: inPlan }),
  };
}

/** Undefined if the whole answer must be null. */
function shapeStep({ fields }: CompiledStep, run: Run, errors: GraphQLError[]): Map<string, unknown> | undefined {
  const shaping: Shaping = { faults: run.faults, errors, path: [], inherited: undefined };
  const shaped = new Map<string, unknown>();
  let isBroken = false;
  for (const field of fields) {
    const completed = field.complete(run.data, shaping);
    if (completed === undefined) isBroken = true;
    shaped.set(field.responseName, completed);
  }
  return isBroken ? undefined : shaped;
}

function answerOf(data: Data | null | undefined, errors: GraphQLError[], { faults }: Run): ExecutionResult {
  // Errors that subgraphs reported with a complete answer.
  for (const { message, extensions } of faults?.untold() ?? [])
    errors.push(new GraphQLError(message, { extensions: { ...extensions } }));
  return { ...(errors.length === 0 ? {} : { errors }), data: data ?? null };
}

function inOrder(values: ReadonlyMap<string, unknown>, order: readonly string[]): Data {
  const data = new NullObject();
  for (const name of order) if (values.has(name)) data[name] = values.get(name);
  return data;
}

function introspectionOf(
  { introspection }: NamedOperation,
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): DocumentNode | undefined {
  if (introspection.length === 0) return undefined;
  const selectionSet = { kind: Kind.SELECTION_SET, selections: introspection } as const;
  return { kind: Kind.DOCUMENT, definitions: [{ ...operation, selectionSet }, ...fragments.values()] };
}

/** The request of a subscription, with the client's names for its events and variables. */
function inClientsWords(document: DocumentNode, { variables }: NamedOperation, responseName: string): DocumentNode {
  const renamed = visit(document, {
    Variable: (node) => {
      const client = variables.get(node.name.value);
      return client === undefined ? undefined : { ...node, name: { ...node.name, value: client } };
    },
  });
  return {
    ...renamed,
    definitions: renamed.definitions.map((definition) => {
      if (definition.kind !== Kind.OPERATION_DEFINITION) return definition;
      const selections = definition.selectionSet.selections.map((selection) =>
        selection.kind === Kind.FIELD
          ? { ...selection, alias: { kind: Kind.NAME, value: responseName } as const }
          : selection,
      );
      return { ...definition, selectionSet: { ...definition.selectionSet, selections } };
    }),
  };
}

function planBytes(text: string): number {
  const bare = text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"/g, '').length;
  return bytesPerEntry + bytesPerChar * bare + bytesPerTextChar * (text.length - bare);
}

function sourceBytes({ operation, fragments }: Source): number {
  return bytesPerEntry + heldBytes(operation) + heldBytes([...fragments.values()]);
}
