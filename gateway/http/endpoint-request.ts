// The web server's requests to the GraphQL endpoint, and the answers.
import type { AdmittedOperation } from '../access/operations.ts';
import type { GatewayContext } from '../supergraph/subgraph-link.ts';
import type { Supergraph } from '../supergraph/supergraph.ts';
import type { AnswerParts } from './answer-parts.ts';

/** A request from the web server. */
export interface EndpointRequest {
  readonly method: string;
  readonly headers: ReadonlyMap<string, string>;
  /** Query string with its question mark. */
  readonly search: string;
  /** Parsed JSON of a POST. */
  readonly body: unknown;
  readonly requestId: string;
  /** The caller's own id of the request. */
  readonly callerRequestId: string | undefined;
  readonly clientAddress: string | undefined;
  /** Whether a subscription may be answered with an event stream; default false. */
  readonly takesStream?: boolean;
  /** Aborted when the client disconnects. */
  readonly signal: AbortSignal;
  /** Called when the request is found to be a logged-in user's; may be called again. */
  readonly onIdentified?: () => void;
}

export interface EndpointResponse {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
  /** The same as `text`, for writing it. */
  readonly parts?: AnswerParts | undefined;
  /** `query`, `mutation`, `subscription`, or undefined when it was refused before that was known. */
  readonly kind: string | undefined;
  /** If set, the answer is an event stream instead. */
  readonly subscription?: AdmittedSubscription | undefined;
}

export interface AdmittedSubscription {
  readonly supergraph: Supergraph;
  readonly admitted: AdmittedOperation;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly context: GatewayContext;
}
