// POST /graphql/reload: switches the gateway to the graph that its settings describe now. For administrators.
import type { Logger } from 'pino';
import { CodedError } from '../../platform/errors/errors.ts';
import { presentError } from '../../platform/graph/execution.ts';
import type { CredentialCache } from '../access/credential-cache.ts';
import { callerIdentity } from '../http/caller-identity.ts';
import type { EndpointRequest } from '../http/endpoint-request.ts';
import type { ReloadReport } from '../versions/graph-reload.ts';

export interface ReloadingParts {
  /** Undefined if the graph of this gateway is fixed. Throws a CodedError. */
  readonly reload: (() => Promise<ReloadReport>) | undefined;
  readonly credentials: CredentialCache;
  readonly log: Logger;
}

type ReloadRequest = Pick<EndpointRequest, 'headers' | 'requestId' | 'onIdentified'>;

const statuses: Readonly<Record<string, number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  UNAVAILABLE: 503,
  BUSY: 503,
};

/** The HTTP status and the JSON of the answer, in GraphQL's shape: `data` or `errors`. */
export async function reloadAnswer(parts: ReloadingParts, request: ReloadRequest) {
  try {
    return { status: 200, answer: { data: await reload(parts, request) } };
  } catch (error) {
    const shown = presentError(error, request.requestId, parts.log);
    return { status: statuses[String(shown.extensions?.code)] ?? 400, answer: { errors: [shown] } };
  }
}

async function reload(
  { reload: run, credentials, log }: ReloadingParts,
  request: ReloadRequest,
): Promise<ReloadReport> {
  const { requestId } = request;
  const identity = await callerIdentity(credentials, request, 'Only administrators may reload the graph');
  if (!identity.admin) throw new CodedError('FORBIDDEN', 'Only administrators may reload the graph.');
  if (run === undefined) throw new CodedError('GRAPH_REFUSED', 'The graph of this gateway is fixed.');
  log.info({ requestId, by: identity.name }, 'a reload of the graph was requested');
  return run();
}
