// A plan compiled into code: each fetch is parsed once, with its requested fields, its variables, and the place of its answer.
import {
  type DocumentNode,
  type FormattedExecutionResult,
  type GraphQLFormattedError,
  getOperationAST,
  parse,
} from 'graphql';
import { invariant } from '../../platform/errors/errors.ts';
import type { FetchTimes } from '../supergraph/fetch-times.ts';
import type { GatewayContext, SubgraphLink } from '../supergraph/subgraph-link.ts';
import { placesAt } from './entity-places.ts';
import { Fault, FaultTree, gatewayFault } from './fault-tree.ts';
import { type Data, isData, mergeInto, type RequestedNames, valueAt } from './merging.ts';
import { PlacesByEntity } from './places-by-entity.ts';
import type { BatchFetchNode, EntitySelection, FetchNode, PathSegment, PlanNode } from './planner.ts';
import type { PossibleTypes } from './possible-types.ts';
import { MissingValue, representationOf, requiredNames, rewrite, rewrittenPath } from './representations.ts';
import { RequestedFields, withdraw } from './requested-fields.ts';
import { faultsIn, type LocatedFault } from './subgraph-errors.ts';

/** One execution. */
export interface Run {
  readonly data: Data;
  /** Keyed by internal names. */
  readonly variables: Data;
  readonly context: GatewayContext;
  /** Undefined before the first fault. */
  faults: FaultTree | undefined;
}

export type Step = (run: Run) => Promise<void>;

export interface Compilation {
  readonly links: ReadonlyMap<string, SubgraphLink>;
  readonly types: PossibleTypes;
  readonly fetchTimes?: FetchTimes | undefined;
}

/** The request for a subgraph. */
interface Request {
  readonly link: SubgraphLink;
  readonly fetchTimes: FetchTimes | undefined;
  readonly text: string;
  readonly document: DocumentNode;
  readonly operationName: string | undefined;
  readonly variables: readonly string[];
  readonly fields: RequestedFields;
}

/** Limit of one answer: as many as the fields of the costliest operation. Each costs some microseconds of the event loop. */
const mostErrors = 50_000;

export function compileNode(node: PlanNode, compilation: Compilation, path?: readonly PathSegment[]): Step {
  switch (node.kind) {
    case 'Sequence': {
      const steps = node.nodes.map((each) => compileNode(each, compilation, path));
      return async (run) => {
        for (const step of steps) await step(run);
      };
    }
    case 'Parallel': {
      const steps = node.nodes.map((each) => compileNode(each, compilation, path));
      return async (run) => void (await Promise.all(steps.map((step) => step(run))));
    }
    case 'Flatten':
      return compileNode(node.node, compilation, [...(path ?? []), ...node.path]);
    case 'Fetch':
      return path === undefined ? rootFetch(node, compilation) : entityFetch(node, compilation, path);
    case 'BatchFetch':
      return batchFetch(node, compilation);
    default:
      throw new Error(`the plan has a node ${node.kind} at a place where it can't be executed`);
  }
}

function requestOf(node: FetchNode | BatchFetchNode, { links, types, fetchTimes }: Compilation): Request {
  const link = links.get(node.serviceName);
  invariant(link !== undefined, `no link to subgraph ${node.serviceName}`);
  const document = parse(node.operation, { noLocation: true });
  const operation = getOperationAST(document);
  invariant(operation != null, 'the planner made a fetch without an operation');
  const fragments = new Map(
    document.definitions.flatMap((each) => (each.kind === 'FragmentDefinition' ? [[each.name.value, each]] : [])),
  );
  return {
    ...{ link, fetchTimes, text: node.operation, document, operationName: node.operationName ?? undefined },
    variables: (node.variableUsages ?? []).filter((name) => /^v\d+$/.test(name)),
    fields: new RequestedFields([operation.selectionSet], { fragments, types }),
  };
}

async function send(
  { link, fetchTimes, text, document, operationName, variables }: Request,
  run: Run,
  representations?: Data,
): Promise<FormattedExecutionResult> {
  const given: Data = { ...representations };
  for (const name of variables) if (Object.hasOwn(run.variables, name)) given[name] = run.variables[name];
  const sentMs = performance.now();
  const result: unknown = await link.execute({ text, document, operationName, variables: given, context: run.context });
  fetchTimes?.answered(link.name, sentMs, run.context.requestId);
  if (!isData(result) || (result.data != null && !isData(result.data)))
    return { errors: [invalid('answered something that is not a GraphQL result', link.name)] };
  if (Array.isArray(result.errors) && result.errors.length > mostErrors)
    return { errors: [invalid(`answered ${result.errors.length} errors; at most ${mostErrors} are read`, link.name)] };
  return result as FormattedExecutionResult;
}

function rootFetch(node: FetchNode, compilation: Compilation): Step {
  const root = rootOf(node, compilation);
  return async (run) => root.absorb(await send(root.request, run), run);
}

export interface RootFetch {
  readonly request: Request;
  /** Adds the answer to the data. */
  absorb(result: FormattedExecutionResult, run: Run): void;
}

/** A fetch at the root. */
export function rootOf(node: FetchNode, compilation: Compilation): RootFetch {
  const { types } = compilation;
  const request = requestOf(node, compilation);
  const { fields, link } = request;
  const changes = node.outputRewrites ?? [];
  const names = fields.names(changes);
  return {
    request,
    absorb({ data, errors }, run) {
      const isWhole = data != null && fields.all.names.every((name) => valueAt(data, name) !== undefined);
      if (data != null) {
        fields.all.purge(data);
        for (const change of changes) rewrite(data, change, types);
        mergeInto(run.data, data, names, types, undefined);
      }
      const faults = faultsIn(errors, link);
      if (faults.length === 0 && isWhole) return;
      const tree = faultsOf(run);
      for (const { fault, path } of faults) {
        tree.add(fault);
        if (path !== undefined) tree.addAt(run.data, rewrittenPath(path, changes), names, fault);
      }
      const reason = faults.find(({ path }) => path === undefined) ?? faults[0];
      tree.addAbsent(run.data, names, reason?.fault ?? invalidFault('left out fields that were requested', link.name));
    },
  };
}

function faultsOf(run: Run): FaultTree {
  run.faults ??= new FaultTree();
  return run.faults;
}

interface EntityGroup extends EntitySelection {
  readonly alias: string;
  readonly variable: string;
  readonly paths: readonly (readonly PathSegment[])[];
}

function entityFetch(node: FetchNode, compilation: Compilation, path: readonly PathSegment[]): Step {
  return entitiesFetch(node, compilation, [
    { ...node, alias: '_entities', variable: 'representations', paths: [path] },
  ]);
}

function batchFetch(node: BatchFetchNode, compilation: Compilation): Step {
  const groups = node.entityBatch.aliases.map((each) => ({ ...each, variable: each.representationsVariableName }));
  return entitiesFetch(node, compilation, groups);
}

function entitiesFetch(
  node: FetchNode | BatchFetchNode,
  compilation: Compilation,
  groups: readonly EntityGroup[],
): Step {
  const request = requestOf(node, compilation);
  const { types } = compilation;
  const named = groups.map((group) => {
    const fields = request.fields.all.get(group.alias);
    invariant(fields != null, 'the planner made a fetch of entities without a selection');
    return { group, fields, names: fields.names(group.outputRewrites), keys: new Map() };
  });
  return async (run) => {
    const asked = named.map((each) => ({ ...each, ...representationsFor(each, request.link.name, run, types) }));
    if (asked.every(({ representations }) => representations.length === 0)) return;
    const variables = Object.fromEntries(asked.map(({ group, representations }) => [group.variable, representations]));
    const result = await send(request, run, variables);
    const faults = faultsIn(result.errors, request.link);
    const known = new Set(asked.map(({ group }) => group.alias));
    for (const { fault, path } of faults)
      if (path === undefined || !known.has(String(path[0]))) faultsOf(run).add(fault);
    for (const each of asked) absorbEntities(result, each, faults, request.link.name, run, types);
  };
}

interface Asked {
  readonly group: EntityGroup;
  readonly fields: RequestedFields;
  readonly names: RequestedNames;
  /** Fields of the representations, by type. */
  readonly keys: Map<unknown, RequestedNames>;
  readonly representations: readonly Data[];
  /** The places of each representation. */
  readonly places: readonly (readonly Data[])[];
}

function representationsFor(
  { group, names }: Pick<Asked, 'group' | 'names'>,
  subgraph: string,
  run: Run,
  types: PossibleTypes,
): Pick<Asked, 'representations' | 'places'> {
  const known = new PlacesByEntity();
  const failed = (object: object, name: string | number) => (run.faults?.at(object, name) ?? []).length > 0;
  for (const place of placesAt(run.data, group.paths, types)) {
    const representation = representationOf(place, group.requires ?? [], types, failed);
    if (representation === undefined) continue;
    if (representation instanceof MissingValue) {
      const { object, name } = representation;
      const why =
        faultsOf(run).at(object, name)[0]?.fault ??
        faultsOf(run).absence(object, String(name)) ??
        invalidFault(`can't be asked: ${name} is missing from the answer of another subgraph`, subgraph);
      faultsOf(run).addAbsent(place, names, why);
      continue;
    }
    for (const change of group.inputRewrites ?? []) rewrite(representation, change, types);
    known.add(representation, place);
  }
  return known;
}

function absorbEntities(
  { data }: FormattedExecutionResult,
  asked: Asked,
  faults: readonly LocatedFault[],
  subgraph: string,
  run: Run,
  types: PossibleTypes,
): void {
  const { group, names, representations, places } = asked;
  const entities = data == null ? undefined : valueAt(data, group.alias);
  const isWhole = Array.isArray(entities) && entities.length === representations.length;
  const isAnswered = (index: number): boolean =>
    isWhole && isOfType(entities[index], representations[index] as Data, types);
  if (isWhole && faults.length === 0 && representations.every((_representation, index) => isAnswered(index))) {
    for (let index = 0; index < places.length; index += 1) mergeEntity(asked, index, entities[index], types);
    return;
  }
  const ofGroup = faults.filter(({ path }) => path?.[0] === group.alias);
  const byEntity = Map.groupBy(ofGroup, ({ path }) => path?.[1]);
  const general = faultOfAll(faults, ofGroup);
  for (const [index, shared] of places.entries()) {
    const entity: unknown = isWhole ? entities[index] : undefined;
    const isTaken = isAnswered(index);
    if (isTaken) mergeEntity(asked, index, entity as Data, types);
    const own = byEntity.get(index) ?? [];
    if (own.length === 0 && general === undefined && isTaken) continue;
    if (own.length === 0 && general === undefined && entity === null) withdrawEntity(asked, index, types);
    const reason =
      own[0]?.fault ??
      general ??
      (isWhole ? undefined : (ofGroup[0] ?? faults[0])?.fault) ??
      absentEntity(entities, representations.length, entity, subgraph);
    for (const place of shared) {
      for (const { fault, path } of own)
        faultsOf(run).addAt(place, rewrittenPath(path?.slice(2) ?? [], group.outputRewrites ?? []), names, fault);
      faultsOf(run).addAbsent(place, names, reason);
    }
  }
  // If there is no place, nothing is missing.
  if (places.length > 0) for (const { fault } of ofGroup) faultsOf(run).add(fault);
}

/** An error that belongs to no single entity. */
function faultOfAll(faults: readonly LocatedFault[], ofGroup: readonly LocatedFault[]) {
  return (ofGroup.find(({ path }) => path?.length === 1) ?? faults.find(({ path }) => path === undefined))?.fault;
}

/** Whether the object has the requested type, or one of its types if that is an interface. */
function isOfType(entity: unknown, { __typename: wanted }: Data, types: PossibleTypes): entity is Data {
  if (!isData(entity)) return false;
  const typename = valueAt(entity, '__typename');
  return typename === undefined || types.fits(wanted as string, typename);
}

/** The places share what is below. */
function mergeEntity(asked: Asked, index: number, entity: Data, types: PossibleTypes): void {
  const { group, fields, names, representations, places } = asked;
  const typename = valueAt(entity, '__typename') ?? representations[index]?.__typename;
  fields.of(typename).purge(entity);
  if (group.outputRewrites != null) for (const change of group.outputRewrites) rewrite(entity, change, types);
  const shared = places[index] as readonly Data[];
  for (const place of shared) mergeInto(place, entity, names, types, keyOf(asked, place, types));
}

/** Its owner does not know it, so the answers of other subgraphs are dropped. */
function withdrawEntity(asked: Asked, index: number, types: PossibleTypes): void {
  const fields = asked.fields.of(asked.representations[index]?.__typename);
  for (const place of asked.places[index] as readonly Data[]) withdraw(place, fields, keyOf(asked, place, types));
}

/** The fields of the object that the subgraph was sent. */
function keyOf({ group, keys }: Asked, place: Data, types: PossibleTypes): RequestedNames {
  const typename = valueAt(place, '__typename');
  let key = keys.get(typename);
  if (key === undefined) {
    key = requiredNames(group.requires ?? [], (condition) => types.fits(condition, typename));
    keys.set(typename, key);
  }
  return key;
}

function absentEntity(entities: unknown, wanted: number, entity: unknown, subgraph: string): Fault {
  const fault = (what: string) => invalidFault(what, subgraph);
  if (!Array.isArray(entities)) return fault('did not answer with a list of entities');
  if (entities.length !== wanted) return fault(`answered ${entities.length} entities instead of ${wanted}`);
  if (entity === null) {
    const { message, extensions } = fault('does not know an object to which another subgraph refers');
    return new Fault(message, extensions, true);
  }
  if (!isData(entity)) return fault('answered with something else than an object');
  return fault('answered with an object of another type, or left out fields that were requested');
}

function invalid(what: string, subgraph: string): GraphQLFormattedError {
  const { message, extensions } = invalidFault(what, subgraph);
  return { message, extensions };
}

function invalidFault(what: string, subgraph: string): Fault {
  return gatewayFault('INVALID_SUBGRAPH_ANSWER', `Subgraph ${subgraph} ${what}.`, subgraph);
}
