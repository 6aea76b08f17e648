// The port to a subgraph: in this process, or on another host over HTTP and graphql-ws.
import type { DocumentNode, FormattedExecutionResult } from 'graphql';
import type { RequestContext } from '../../platform/caller/identity.ts';
import type { RequestTimes } from './request-times.ts';
import type { TraceContext } from './trace-context.ts';

/** The context of a request at the gateway; subgraphs in this process get it by reference. */
export interface GatewayContext extends RequestContext {
  /** Aborts when nobody waits for the answer. Never set for mutations, which a disconnecting client does not interrupt. */
  readonly signal?: AbortSignal;
  /** The caller's trace. */
  readonly trace?: TraceContext;
  /** For the access log. */
  readonly times?: RequestTimes;
}

/** One operation for one subgraph, as made by the planner. */
export interface LinkRequest {
  readonly text: string;
  /** Parsed `text`. */
  readonly document: DocumentNode;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly operationName: string | undefined;
  readonly context: GatewayContext;
}

export type ResultStream = AsyncGenerator<FormattedExecutionResult, void, void>;

export interface SubgraphLink {
  readonly name: string;
  /** Whether another team runs it. Default: no. */
  readonly isOutside?: boolean;
  /** Executes a query or mutation. Never throws: a lost subgraph gives a result with SUBGRAPH_UNAVAILABLE. */
  execute(request: LinkRequest): Promise<FormattedExecutionResult>;
  /** Opens a stream, or gives the `errors` of a refusal. The stream's `return()` ends it at once. */
  subscribe(request: LinkRequest): Promise<ResultStream | FormattedExecutionResult>;
  /** Whether the subgraph can be reached. */
  ready(): Promise<boolean>;
  close(): Promise<void>;
}
