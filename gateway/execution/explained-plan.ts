// A plan for people: the requests to each subgraph and their order, with the client's names.
import { type FieldNode, Kind, parse, print, type SelectionSetNode, visit } from 'graphql';
import type { ExplainedRequest, ExplainedStep } from '../supergraph/executor.ts';
import { type ClientField, type ClientSelections, fieldsIn, type NamedOperation } from './internal-names.ts';
import type { BatchFetchNode, FetchNode, PathSegment, PlanNode } from './planner.ts';

type Names = Pick<NamedOperation, 'root' | 'variables'>;

export function explainedPlan(node: PlanNode, names: Names, path: readonly PathSegment[] = []): ExplainedStep {
  switch (node.kind) {
    case 'Sequence':
      return { inOrder: node.nodes.map((each) => explainedPlan(each, names, path)) };
    case 'Parallel':
      return { atOnce: node.nodes.map((each) => explainedPlan(each, names, path)) };
    case 'Flatten':
      return explainedPlan(node.node, names, [...path, ...node.path]);
    case 'Subscription':
      return explainedRequest(node.primary, names, []);
    case 'BatchFetch':
      return explainedRequest(
        node,
        names,
        node.entityBatch.aliases.flatMap(({ paths }) => paths),
      );
    default:
      return explainedRequest(node, names, path.length === 0 ? [] : [path]);
  }
}

function explainedRequest(
  { serviceName, operation }: FetchNode | BatchFetchNode,
  names: Names,
  paths: readonly (readonly PathSegment[])[],
): ExplainedRequest {
  const at = paths.map((path) => clientPath(path, names.root));
  return {
    subgraph: serviceName,
    at: at.length === 0 ? undefined : at.map(({ text }) => text),
    request: inClientsNames(
      operation,
      names,
      at.length === 0 ? [names.root] : at.flatMap(({ selections }) => selections),
    ),
  };
}

function clientPath(path: readonly PathSegment[], root: ClientSelections) {
  let selections: readonly ClientSelections[] = [root];
  let text = '';
  for (const segment of path) {
    if (segment === '@') text += '[]';
    else if ('Field' in segment) {
      const fields = fieldsNamed(segment.Field, selections);
      text += `${text === '' ? '' : '.'}${fields[0]?.responseName ?? segment.Field}`;
      selections = fields.flatMap(({ below }) => below ?? []);
    }
  }
  return { text, selections };
}

function inClientsNames(text: string, { variables }: Names, selections: readonly ClientSelections[]): string {
  const document = visit(parse(text, { noLocation: true }), {
    Variable: (node) => ({ ...node, name: { ...node.name, value: variables.get(node.name.value) ?? node.name.value } }),
    OperationDefinition: (node) => ({ ...node, selectionSet: renamed(node.selectionSet, selections) }),
  });
  return print(document);
}

/** `_entities` and fields that the planner added keep their names. */
function renamed(set: SelectionSetNode, at: readonly ClientSelections[]): SelectionSetNode {
  const selections = set.selections.map((each) => {
    if (each.kind === Kind.FRAGMENT_SPREAD) return each;
    if (each.kind === Kind.INLINE_FRAGMENT) return { ...each, selectionSet: renamed(each.selectionSet, at) };
    return renamedField(each, at);
  });
  return { ...set, selections };
}

function renamedField(node: FieldNode, at: readonly ClientSelections[]): FieldNode {
  const { alias, selectionSet, ...rest } = node;
  const fields = node.name.value === '_entities' ? [] : fieldsNamed(alias?.value ?? node.name.value, at);
  const below = node.name.value === '_entities' ? at : fields.flatMap((field) => field.below ?? []);
  const name = fields[0]?.responseName ?? alias?.value ?? node.name.value;
  return {
    ...rest,
    ...(name === node.name.value ? {} : { alias: { kind: Kind.NAME, value: name } }),
    ...(selectionSet === undefined ? {} : { selectionSet: renamed(selectionSet, below) }),
  };
}

function fieldsNamed(name: string, selections: readonly ClientSelections[]): readonly ClientField[] {
  return selections.flatMap(fieldsIn).filter(({ internalName }) => internalName === name);
}
