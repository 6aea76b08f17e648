// The result of a fetch whose subgraph is unavailable: one error for each requested field, so that a client can distinguish "there is none" from
// "could not be read". The executor adds the path to each field that stays null.
import { type FormattedExecutionResult, type GraphQLFormattedError, getOperationAST, Kind } from 'graphql';
import type { LinkRequest } from './subgraph-link.ts';

export function lostSubgraph(name: string, request: LinkRequest, mutation: boolean): FormattedExecutionResult {
  const message = mutation
    ? `The connection to subgraph ${name} was lost, so the outcome of the mutation is unknown. Repeat it with the same idempotencyKey.`
    : `Subgraph ${name} is not available; try again.`;
  const extensions = { code: 'SUBGRAPH_UNAVAILABLE', subgraph: name };
  const fields = (getOperationAST(request.document)?.selectionSet.selections ?? []).flatMap((selection) =>
    selection.kind === Kind.FIELD ? [selection.alias?.value ?? selection.name.value] : [],
  );
  const errors: GraphQLFormattedError[] = fields.map((field) => ({ message, path: [field], extensions }));
  return { errors: errors.length === 0 ? [{ message, extensions }] : errors };
}
