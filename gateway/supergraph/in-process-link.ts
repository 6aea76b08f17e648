// A subgraph in this process: resolvers get the request's context by reference, and nothing is serialised.
import { type FormattedExecutionResult, getOperationAST, OperationTypeNode } from 'graphql';
import type { Logger } from 'pino';
import { executeOnSchema, subscribeOnSchema } from '../../platform/graph/execution.ts';
import type { Subgraph } from '../../platform/graph/subgraph.ts';
import { CountedLine, reasonOf } from '../../platform/log/counted-line.ts';
import { within } from '../../platform/work/within.ts';
import { lostSubgraph } from './lost-subgraph.ts';
import type { LinkRequest, ResultStream, SubgraphLink } from './subgraph-link.ts';

export class InProcessLink implements SubgraphLink {
  readonly name: string;
  readonly #subgraph: Subgraph;
  readonly #log: Logger;
  readonly #queryDeadlineMs: number;
  readonly #lostLine: CountedLine;

  constructor(subgraph: Subgraph, log: Logger, queryDeadlineMs: number) {
    this.name = subgraph.name;
    this.#subgraph = subgraph;
    this.#log = log;
    this.#queryDeadlineMs = queryDeadlineMs;
    this.#lostLine = new CountedLine(log, 'requests to a subgraph failed');
  }

  /** A query that is too slow continues, and its result is dropped. A mutation has no deadline here, because its own steps have deadlines. */
  async execute(request: LinkRequest): Promise<FormattedExecutionResult> {
    const execute = () => executeOnSchema(this.#subgraph.schema, request, this.#log);
    if (getOperationAST(request.document)?.operation === OperationTypeNode.MUTATION) return execute();
    try {
      return await within(this.#queryDeadlineMs, `subgraph ${this.name} did not answer`, execute);
    } catch (error) {
      const { requestId } = request.context;
      this.#lostLine.add({ requestId, subgraph: this.name, reason: reasonOf(error) });
      return lostSubgraph(this.name, request, false);
    }
  }

  subscribe(request: LinkRequest): Promise<ResultStream | FormattedExecutionResult> {
    return subscribeOnSchema(this.#subgraph.schema, request, this.#log);
  }

  async ready(): Promise<boolean> {
    return true;
  }

  async close(): Promise<void> {
    this.#lostLine.flush();
  }
}
