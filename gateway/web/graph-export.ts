// GET /export/NAME.ndjson: all items of a paged field that the caller may see, one JSON object per line, for clients that prefer a file to pages. It reads the graph with the caller's rights, page by page, and holds one page at a time.
//
// Query: projectId; after (the position of an earlier export: only changes since then, including deletions).
// An object that changes during the export is repeated: its last line counts.
// The last line is {"after": position}; without it the export is incomplete.
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { GraphExport } from '../../platform/graph/graph-export.ts';
import type { EndpointRequest, EndpointResponse } from '../http/endpoint-request.ts';
import { dataPolicy } from '../http/security-headers.ts';

const jsonHeaders = [
  ['content-type', 'application/json'],
  ['accept', 'application/json'],
] as const;
/** 10 million objects at 500 per page. A larger export does not finish. */
const mostPages = 20_000;
/** A client that reads nothing for this long is disconnected. */
const stalledMs = 60_000;

interface GraphExportDependencies {
  readonly endpoint: { handle(request: EndpointRequest): Promise<EndpointResponse> };
  readonly log: Logger;
}

interface Page {
  readonly after: string;
  readonly upToDate: boolean;
  /** The list, under its name in the export. */
  readonly [items: string]: unknown;
}

interface GraphAnswer {
  readonly data?: { readonly [field: string]: Page | null | undefined } | null;
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[];
}

/** Answers with an error of the graph before the first line. A later failure aborts the export. */
export async function exportGraph(
  { endpoint, log }: GraphExportDependencies,
  { name, query, field, items }: GraphExport,
  request: Omit<EndpointRequest, 'method' | 'search' | 'body'>,
  search: URLSearchParams,
  response: ServerResponse,
): Promise<void> {
  const { requestId, signal } = request;
  // The client's Accept header is for the export, not for an answer of the graph.
  const headers = new Map([...request.headers, ...jsonHeaders]);
  const cutOff = (reason: string): void => {
    log.warn({ requestId, reason, export: name }, 'an export was cut off');
    response.destroy();
  };
  let after = search.get('after');
  for (let pages = 0; pages < mostPages; pages += 1) {
    const body = { query, variables: { after, projectId: search.get('projectId') } };
    const answer = await endpoint.handle({ ...request, headers, method: 'POST', search: '', body });
    // The client is gone.
    if (signal.aborted) return;
    const { data, errors } = JSON.parse(answer.text) as GraphAnswer;
    const page = data?.[field];
    if (page == null || errors !== undefined) {
      if (response.headersSent) return cutOff(errors?.[0]?.message ?? 'an empty answer');
      respond(response, answer, errors?.[0]?.extensions?.code);
      return;
    }
    if (!response.headersSent) response.writeHead(200, headersOf('application/x-ndjson; charset=utf-8'));
    const objects = page[items] as readonly unknown[];
    const lines = objects.map((object) => `${JSON.stringify(object)}\n`).join('');
    if (!response.write(lines) && !(await drained(response, signal))) {
      if (!signal.aborted) cutOff('the client does not read');
      return;
    }
    after = page.after;
    if (!page.upToDate) continue;
    response.end(`${JSON.stringify({ after })}\n`);
    return;
  }
  cutOff('it never ends');
}

/** False when the client has disconnected, or does not read. */
async function drained(response: ServerResponse, hungUp: AbortSignal): Promise<boolean> {
  try {
    await once(response, 'drain', { signal: AbortSignal.any([hungUp, AbortSignal.timeout(stalledMs)]) });
    return true;
  } catch {
    return false;
  }
}

/** HTTP statuses of errors that are 200 in GraphQL. */
const statusOf: Readonly<Record<string, number>> = {
  CURSOR_EXPIRED: 410,
  RESYNC_REQUIRED: 410,
  SUBGRAPH_UNAVAILABLE: 503,
  UNAVAILABLE: 503,
  BUSY: 503,
  INVALID_CURSOR: 400,
  INVALID_INPUT: 400,
  BAD_USER_INPUT: 400,
  GRAPHQL_VALIDATION_FAILED: 400,
  FORBIDDEN: 403,
};

function respond(response: ServerResponse, answer: EndpointResponse, code: string | undefined): void {
  const status = answer.status === 200 ? (statusOf[code ?? ''] ?? 500) : answer.status;
  const challenge = answer.headers.get('www-authenticate');
  response.writeHead(status, {
    ...headersOf('application/json; charset=utf-8'),
    ...(challenge === undefined ? {} : { 'www-authenticate': challenge }),
  });
  response.end(answer.text);
}

function headersOf(contentType: string): Record<string, string> {
  return { 'content-type': contentType, 'cache-control': 'no-store', 'content-security-policy': dataPolicy };
}
