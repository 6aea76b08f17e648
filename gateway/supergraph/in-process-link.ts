// A subgraph in this process: resolvers get the request's context by reference, and nothing is serialised.
import type { FormattedExecutionResult } from 'graphql';
import type { Logger } from 'pino';
import { executeOnSchema, subscribeOnSchema } from '../../platform/graph/execution.ts';
import type { Subgraph } from '../../platform/graph/subgraph.ts';
import type { LinkRequest, ResultStream, SubgraphLink } from './subgraph-link.ts';

export class InProcessLink implements SubgraphLink {
  readonly name: string;
  readonly #subgraph: Subgraph;
  readonly #log: Logger;

  constructor(subgraph: Subgraph, log: Logger) {
    this.name = subgraph.name;
    this.#subgraph = subgraph;
    this.#log = log;
  }

  execute(request: LinkRequest): Promise<FormattedExecutionResult> {
    return executeOnSchema(this.#subgraph.schema, request, this.#log);
  }

  subscribe(request: LinkRequest): Promise<ResultStream | FormattedExecutionResult> {
    return subscribeOnSchema(this.#subgraph.schema, request, this.#log);
  }

  async ready(): Promise<boolean> {
    return true;
  }

  async close(): Promise<void> {}
}
