// Errors in a subgraph's answer, in the form for clients. Outside subgraphs can't use codes that only the gateway can verify: a client that gets
// UNAUTHENTICATED ends its session.
import type { TopLevelCode } from '../../platform/errors/errors.ts';
import type { SubgraphLink } from '../supergraph/subgraph-link.ts';
import { Fault, type Path } from './fault-tree.ts';
import { isData } from './merging.ts';

export interface LocatedFault {
  readonly fault: Fault;
  readonly path: Path | undefined;
}

type Sender = Pick<SubgraphLink, 'name' | 'isOutside'>;

/** Codes for the login, the graph and our streams. */
const codesOfGateway: ReadonlySet<string> = new Set<TopLevelCode>([
  ...(['UNAUTHENTICATED', 'PERSISTED_QUERY_NOT_FOUND', 'NOT_PUBLISHED', 'NOT_PLANNED'] as const),
  ...(['SCHEMA_CHANGED', 'GRAPH_REFUSED', 'INVALID_CURSOR', 'CURSOR_EXPIRED', 'RESYNC_REQUIRED'] as const),
]);
/** Same limit as for the gateway's own waits. */
const longestRetryAfterMs = 60_000;

export function faultsIn(errors: unknown, sender: Sender): readonly LocatedFault[] {
  if (!Array.isArray(errors)) return [];
  return errors.map((error: unknown) => {
    const path: unknown = isData(error) ? error.path : undefined;
    const isPath =
      Array.isArray(path) && path.length > 0 && path.every((key) => typeof key === 'string' || typeof key === 'number');
    return { fault: faultOf(error, sender), path: isPath ? (path as Path) : undefined };
  });
}

function faultOf(error: unknown, sender: Sender): Fault {
  const { message, extensions } = isData(error) ? error : { message: undefined, extensions: undefined };
  // Apollo Server would use `http` for the status of the whole answer.
  const { http: _status, ...shown } = isData(extensions) ? extensions : {};
  const code = typeof shown.code === 'string' ? shown.code : 'INTERNAL';
  const text = typeof message === 'string' ? message : 'A subgraph reported an error without a message.';
  return sender.isOutside === true
    ? outsideFault(text, { ...shown, code }, sender)
    : new Fault(text, { ...shown, code });
}

function outsideFault(
  message: string,
  { retryAfterMs, ...extensions }: Readonly<Record<string, unknown>> & { readonly code: string },
  { name }: Sender,
): Fault {
  const wait =
    typeof retryAfterMs === 'number' && retryAfterMs >= 0
      ? { retryAfterMs: Math.min(Math.ceil(retryAfterMs), longestRetryAfterMs) }
      : {};
  if (!codesOfGateway.has(extensions.code)) return new Fault(message, { ...extensions, ...wait });
  return new Fault(`Subgraph ${name} answered ${extensions.code}, a code that only the gateway may use: ${message}`, {
    ...{ ...extensions, ...wait },
    ...{ code: 'INVALID_SUBGRAPH_ANSWER', subgraph: name },
  });
}
