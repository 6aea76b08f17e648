// Joins the field planner's requests for single fields into a plan: requests with the same place, subgraph and turn become one.
import { baseOf, type FederatedGraph } from './federated-graph.ts';
import { addSelections, emptySelections, type PlannedSelections, printSelections } from './planned-selections.ts';
import type { FetchNode, PathSegment, PlanNode, RequiredSelection, Rewrite, RewriteSegment } from './planner.ts';

/** A request for one type of object, or for root fields. */
export interface Piece {
  readonly graph: string;
  readonly path: readonly PathSegment[];
  /** Undefined for root fields. */
  readonly entity:
    | { readonly type: string; readonly via: string; readonly requires: readonly RequiredSelection[] }
    | undefined;
  readonly asked: PlannedSelections;
  /** Requests that must be answered first. */
  readonly after: readonly Piece[];
}

interface PlannedOperation {
  readonly kind: 'query' | 'mutation' | 'subscription';
  readonly root: string;
  /** Definitions of variables by their names. */
  readonly variables: ReadonlyMap<string, string>;
}

/** Orders requests in turns: each as soon as the requests that it depends on are answered. */
export function planOf(pieces: ReadonlySet<Piece>, operation: PlannedOperation, graph: FederatedGraph): PlanNode {
  const turns: FetchNodeAt[][] = [];
  const turnOf = turnsOf();
  for (const same of grouped(
    joined(pieces, turnOf),
    (piece) => `${turnOf(piece)} ${placeOf(piece)} ${sharedBy(piece)}`,
  )) {
    const [first] = same;
    if (first === undefined) continue;
    const turn = turnOf(first);
    turns[turn] = [...(turns[turn] ?? []), { path: first.path, node: fetchOf(same, first, operation, graph) }];
  }
  const nodes = turns.filter((turn) => turn !== undefined).map((turn) => parallel(turn.map(nodeAt)));
  const [only, ...others] = nodes;
  if (only === undefined) throw new Error('there is no request');
  if (operation.kind !== 'subscription') return others.length === 0 ? only : { kind: 'Sequence', nodes };
  if (only.kind !== 'Fetch') throw new Error('a subscription has one root field');
  return { kind: 'Sequence', nodes: [{ kind: 'Subscription', primary: only }, ...others] };
}

interface FetchNodeAt {
  readonly path: readonly PathSegment[];
  readonly node: FetchNode;
}

function nodeAt({ path, node }: FetchNodeAt): PlanNode {
  return node.requires == null ? node : { kind: 'Flatten', path, node };
}

function parallel(nodes: readonly PlanNode[]): PlanNode {
  const [only] = nodes;
  return nodes.length === 1 && only !== undefined ? only : { kind: 'Parallel', nodes };
}

function turnsOf(): (piece: Piece) => number {
  const turns = new Map<Piece, number>();
  const turnOf = (piece: Piece): number => {
    const turn = turns.get(piece) ?? piece.after.reduce((last, each) => Math.max(last, turnOf(each) + 1), 0);
    turns.set(piece, turn);
    return turn;
  };
  return turnOf;
}

function placeOf({ graph, path, entity }: Piece): string {
  return JSON.stringify([graph, path, entity?.requires]);
}

/** Several types share a request. If it uses the name of their interface, they must be asked the same. */
function sharedBy({ entity, asked }: Piece): string {
  return entity === undefined || entity.via === entity.type ? '' : `${entity.via} ${printSelections(asked)}`;
}

/** Pieces of one type become one. */
function joined(pieces: ReadonlySet<Piece>, turnOf: (piece: Piece) => number): readonly Piece[] {
  const id = (piece: Piece) => `${turnOf(piece)} ${placeOf(piece)} ${piece.entity?.type} ${piece.entity?.via}`;
  return grouped(pieces, id).flatMap((same) => {
    const [first] = same;
    if (first === undefined) return [];
    const asked = emptySelections();
    for (const each of same) addSelections(asked, each.asked);
    return [{ ...first, asked }];
  });
}

function grouped(pieces: Iterable<Piece>, id: (piece: Piece) => string): readonly (readonly Piece[])[] {
  return [...Map.groupBy(pieces, id).values()];
}

function fetchOf(
  same: readonly Piece[],
  { graph: subgraph, entity, asked: ofFirst }: Piece,
  { kind, root, variables }: PlannedOperation,
  graph: FederatedGraph,
): FetchNode {
  const asked = entity === undefined ? ofFirst : emptySelections();
  const requires: RequiredSelection[] = [];
  const types: string[] = [];
  for (const { entity: of, asked: each } of same) {
    if (of === undefined) continue;
    types.push(of.type);
    asked.conditions.set(of.via, each);
    const typename: RequiredSelection = { kind: 'Field', name: '__typename' };
    requires.push({ kind: 'InlineFragment', typeCondition: of.type, selections: [typename, ...of.requires] });
  }
  const outputRewrites = withOwnNames([{ type: root, asked }], subgraph, graph, []);
  const body =
    entity === undefined
      ? printSelections(asked)
      : `_entities(representations:$representations){__typename ${printSelections(asked)}}`;
  const used = [...variables].filter(([name]) => new RegExp(`\\$${name}\\b`).test(body));
  const definitions = [...(entity === undefined ? [] : ['$representations:[_Any!]!']), ...used.map(([, text]) => text)];
  const given = definitions.length === 0 ? '' : `(${definitions.join(',')})`;
  const isRenamed = entity !== undefined && !graph.isObject(entity.via);
  return {
    kind: 'Fetch',
    ...{ serviceName: graph.names.get(subgraph) ?? '', variableUsages: used.map(([name]) => name) },
    operation: `${entity === undefined ? kind : 'query'}${given}{${body}}`,
    ...(entity === undefined ? {} : { requires }),
    ...(isRenamed ? { inputRewrites: [typenameSetter(types, entity.via)] } : {}),
    ...(outputRewrites.length === 0 ? {} : { outputRewrites }),
  };
}

function typenameSetter(types: readonly string[], setValueTo: string): Rewrite {
  return { ValueSetter: { path: [{ TypenameEquals: types }, { Key: '__typename' }], setValueTo } };
}

type OwnNames = readonly [string, FederatedGraph, readonly RewriteSegment[]];

interface At {
  readonly type: string;
  readonly asked: PlannedSelections;
}

/**
 * Objects of several types may have fields with one name and different types, which a subgraph refuses in one place. Such a field gets a name of its
 * own in the request. Returns the reverse mapping.
 */
function withOwnNames(places: readonly At[], ...[subgraph, graph, keys]: OwnNames): readonly Rewrite[] {
  const all = places.flatMap((each) => [each, ...conditionsIn(each.asked)]);
  const found = all.flatMap(({ type, asked }) =>
    [...asked.fields].map(([internal, field]) => {
      const text = graph.typeIn(subgraph, type, field.name) ?? '';
      return { type, asked, internal, field, base: baseOf(text), shape: graph.shapeOf(text) };
    }),
  );
  const rewrites: Rewrite[] = [];
  for (const [internal, same] of Map.groupBy(found, (each) => each.internal))
    for (const [index, alike] of [...Map.groupBy(same, ({ shape }) => shape).values()].entries()) {
      if (index > 0)
        for (const { type, asked, field } of alike) {
          const alias = `_s${index}_${internal}`;
          const { name, head, below } = field;
          asked.fields.delete(internal);
          asked.fields.set(alias, { name, head: `${alias}:${head.replace(/^\w+:/, '')}`, below });
          asked.fields.set('__typename', { name: '__typename', head: '__typename', below: undefined });
          const path = [...keys, { TypenameEquals: [type] }, { Key: alias }];
          rewrites.push({ KeyRenamer: { path, renameKeyTo: internal } });
        }
      const below = alike.flatMap(({ base: type, field }) => (field.below ? [{ type, asked: field.below }] : []));
      rewrites.push(...withOwnNames(below, subgraph, graph, [...keys, { Key: internal }]));
    }
  return rewrites;
}

function conditionsIn({ conditions }: PlannedSelections): readonly At[] {
  return [...conditions].flatMap(([type, asked]) => [{ type, asked }, ...conditionsIn(asked)]);
}
