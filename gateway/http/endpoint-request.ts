// The web server's requests to the GraphQL endpoint, and the answers.
import type { AdmittedOperation } from '../access/operations.ts';
import type { RequestTimes } from '../supergraph/request-times.ts';
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
  /** Whether a subscription may be answered with an event stream. Default: no. */
  readonly takesStream?: boolean;
  /** Aborts when the client disconnects. */
  readonly signal: AbortSignal;
  /** Called when the request turns out to come from a logged-in user. May be called again. */
  readonly onIdentified?: () => void;
  /** For the access log. */
  readonly times?: RequestTimes | undefined;
}

/** Who sent a request, and its operation if that was read. */
export interface Admission {
  readonly request: GatewayContext;
  readonly admitted?: AdmittedOperation;
}

export interface EndpointResponse {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
  /** `text` in a form for writing. */
  readonly parts?: AnswerParts | undefined;
  /** `query`, `mutation` or `subscription`. Undefined if it was refused before that was known. */
  readonly kind: string | undefined;
  /** Undefined if the request was refused. */
  readonly admission?: Admission | undefined;
  /** If set, the answer is an event stream instead. */
  readonly subscription?: AdmittedSubscription | undefined;
}

export interface AdmittedSubscription {
  readonly supergraph: Supergraph;
  readonly admitted: AdmittedOperation;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly context: GatewayContext;
}
