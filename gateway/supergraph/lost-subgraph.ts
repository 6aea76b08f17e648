// The result of a fetch whose subgraph is not available: one error for each field that stays null, with its path, so that a
// client can distinguish "there is none" from "could not be read".
import {
  type FieldNode,
  type FormattedExecutionResult,
  type GraphQLFormattedError,
  getOperationAST,
  Kind,
  type SelectionNode,
} from 'graphql';
import type { LinkRequest } from './subgraph-link.ts';

/** More errors would add no information. */
const maxErrors = 20;

function responseName(field: FieldNode): string {
  return field.alias?.value ?? field.name.value;
}

function fieldsOf(selections: readonly SelectionNode[]): readonly FieldNode[] {
  return selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return selection.name.value === '__typename' ? [] : [selection];
    return selection.kind === Kind.INLINE_FRAGMENT ? fieldsOf(selection.selectionSet.selections) : [];
  });
}

export function lostSubgraph(name: string, request: LinkRequest, mutation: boolean): FormattedExecutionResult {
  const message = mutation
    ? `The connection to subgraph ${name} was lost, so the outcome of the mutation is unknown. Repeat it with the same idempotencyKey.`
    : `Subgraph ${name} is not available; try again.`;
  const paths: (string | number)[][] = [];
  for (const field of fieldsOf(getOperationAST(request.document)?.selectionSet.selections ?? [])) {
    if (field.name.value !== '_entities') {
      paths.push([responseName(field)]);
      continue;
    }
    const { representations } = request.variables;
    const count = Array.isArray(representations) ? representations.length : 0;
    const names = new Set(fieldsOf(field.selectionSet?.selections ?? []).map(responseName));
    for (let index = 0; index < count; index += 1)
      for (const fieldName of names) paths.push(['_entities', index, fieldName]);
  }
  const errors: GraphQLFormattedError[] = paths
    .slice(0, maxErrors)
    .map((path) => ({ message, path, extensions: { code: 'SUBGRAPH_UNAVAILABLE', subgraph: name } }));
  if (errors.length === 0) errors.push({ message, extensions: { code: 'SUBGRAPH_UNAVAILABLE', subgraph: name } });
  return { errors };
}
