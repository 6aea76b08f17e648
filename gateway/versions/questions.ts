// Queries of subgraphs to the graph (platform/graph/ask-graph.ts). Only queries are allowed, with the same limits and answers as
// for any other client.
import { type FormattedExecutionResult, GraphQLError, OperationTypeNode } from 'graphql';
import type { Identity } from '../../platform/caller/identity.ts';
import { CodedError } from '../../platform/errors/errors.ts';
import { newUuid } from '../../platform/values/ids.ts';
import { InvalidGraphqlDocument } from '../access/invalid-document.ts';
import type { GraphVersion } from './graph-version.ts';
import type { GraphVersions } from './graph-versions.ts';

interface Question {
  readonly identity: Identity;
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
}

export class Questions {
  readonly #versions: Pick<GraphVersions, 'use'>;

  constructor(versions: Pick<GraphVersions, 'use'>) {
    this.#versions = versions;
  }

  /** Never throws because of the query: refusals are in `errors`. */
  ask(question: Question): Promise<FormattedExecutionResult> {
    return this.#versions.use((version) => answerOf(question, version));
  }
}

async function answerOf(
  { identity, query, variables, signal }: Question,
  { operations, executor }: Pick<GraphVersion, 'operations' | 'executor'>,
): Promise<FormattedExecutionResult> {
  try {
    if (identity.kind !== 'service') throw new CodedError('FORBIDDEN', 'Only subgraphs may ask here.');
    const { document, key, operation } = await operations.admit({ query, variables }, identity);
    if (operation.operation !== OperationTypeNode.QUERY) throw new CodedError('FORBIDDEN', 'A subgraph may only read.');
    const context = { identity, requestId: newUuid(), loaders: new Map(), signal };
    const operationName = operation.name?.value;
    const result = await executor.execute({ key, document, operationName, variables, context });
    return result as FormattedExecutionResult;
  } catch (error) {
    if (error instanceof InvalidGraphqlDocument)
      return { errors: error.faults as FormattedExecutionResult['errors'] & {} };
    if (error instanceof CodedError)
      return { errors: [new GraphQLError(error.message, { extensions: error.extensions }).toJSON()] };
    throw error;
  }
}
