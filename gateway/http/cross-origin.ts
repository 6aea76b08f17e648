// Pages of other origins that may use the endpoint (CORS protocol of the Fetch standard). Each origin is listed, and there is none by default.
// Cookies and other credentials of the browser are never allowed: a page sends its bearer token itself.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { dryRunHeader, sourceHeader } from '../../platform/caller/manner.ts';

/** Request headers that the endpoint reads and a page may send only after a preflight. */
const requestHeaders = [
  ...['authorization', 'content-type', 'x-request-id', 'last-event-id', 'traceparent', 'tracestate'],
  ...[dryRunHeader, sourceHeader, 'apollo-require-preflight', 'x-apollo-operation-name'],
].join(', ');
/** Response headers that a page may read. */
const responseHeaders = 'retry-after, www-authenticate, x-request-id';
/** Browsers keep the answer to a preflight for at most two hours. */
const preflightSeconds = '7200';

export class CrossOrigin {
  readonly #allowed: ReadonlySet<string>;

  /** `origins`: in the form that browsers send, such as https://app.example. */
  constructor(origins: readonly string[]) {
    this.#allowed = new Set(origins);
  }

  /** Adds the headers with which a page of a listed origin may read the answer. For all answers of a path, so that caches keep them apart. */
  addHeaders({ headers }: IncomingMessage, response: ServerResponse): void {
    if (this.#allowed.size === 0) return;
    response.appendHeader('vary', 'origin');
    if (headers.origin === undefined || !this.#allowed.has(headers.origin)) return;
    response.setHeader('access-control-allow-origin', headers.origin);
    response.setHeader('access-control-expose-headers', responseHeaders);
  }

  /** The headers that answer a preflight. Undefined if the page's origin is not listed. */
  preflightHeaders({ headers }: IncomingMessage, methods: string): Readonly<Record<string, string>> | undefined {
    if (headers.origin === undefined || !this.#allowed.has(headers.origin)) return undefined;
    return {
      'access-control-allow-methods': methods,
      'access-control-allow-headers': requestHeaders,
      'access-control-max-age': preflightSeconds,
    };
  }

  /** True unless the request comes from a page whose origin is neither the endpoint's own nor listed. */
  admits({ headers }: IncomingMessage): boolean {
    const { origin, host } = headers;
    if (origin === undefined || this.#allowed.has(origin)) return true;
    // Only the browser itself can set this header.
    return headers['sec-fetch-site'] === 'same-origin' || isOriginOf(origin, host);
  }
}

/** The scheme is ignored, because a proxy may terminate TLS. */
function isOriginOf(origin: string, host: string | undefined): boolean {
  const page = URL.parse(origin);
  if (page === null || page.host === '' || host === undefined) return false;
  return URL.parse(`${page.protocol}//${host}`)?.host === page.host;
}
