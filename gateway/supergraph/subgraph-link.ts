// Where a subgraph lives is behind this port: in this process, or on another host over HTTP and graphql-ws.
import type { DocumentNode, FormattedExecutionResult } from 'graphql';
import type { RequestContext } from '../../platform/identity.ts';

/** The context of a request at the gateway; subgraphs in this process get it by reference. */
export interface GatewayContext extends RequestContext {
  /** Ends when nobody waits for the answer. Never set for mutations: a client that hangs up cuts nothing. */
  readonly signal?: AbortSignal;
}

/** One operation for one subgraph, as the planner made it. */
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
  /** Executes a query or mutation. Never throws: a lost subgraph is a result with SUBGRAPH_UNAVAILABLE. */
  execute(request: LinkRequest): Promise<FormattedExecutionResult>;
  /** Opens a stream, or says with `errors` why not. The stream's `return()` ends it at once. */
  subscribe(request: LinkRequest): Promise<ResultStream | FormattedExecutionResult>;
  /** Whether the subgraph can be reached. */
  ready(): Promise<boolean>;
  close(): Promise<void>;
}
