// One HTTP/1.1 request on a connection of its own (RFC 9112): the status must be an expected one and, if required, the body must
// contain a text. Written on the plain socket: a client with pools doubles the cost of a check.
import type { Socket } from 'node:net';
import { hostHeader, requestPath, statusCodes } from '../../graph/described/patterns.ts';
import type { Probe } from '../probe.ts';
import { connection, type End, type Where, whereSchema } from './connection.ts';
import { secure, type TlsOptions, tlsSchema } from './tls.ts';

export interface HttpParameters extends Where {
  /** Default GET. */
  readonly method?: 'GET' | 'HEAD' | 'OPTIONS' | 'POST';
  /** Default `/`. */
  readonly path?: string;
  /** The Host header; default: host and port. */
  readonly hostHeader?: string;
  readonly body?: string;
  /** `200`, `200,204` or `200-399`; the default is 200. */
  readonly expectedCodes?: string;
  /** A text that the first 64 KiB of the body must contain. */
  readonly expect?: string;
  /** The Authorization header. It is not in a schema, because it is a secret. */
  readonly authorization?: string;
}

export type HttpsParameters = HttpParameters & TlsOptions;

const mostHeadBytes = 16_384;
const mostBodyBytes = 65_536;

/** JSON Schema properties of the request and of the expected response. */
export const requestSchema = {
  method: { enum: ['GET', 'HEAD', 'OPTIONS', 'POST'] },
  path: { type: 'string', pattern: requestPath.pattern, maxLength: 2048 },
  hostHeader: { type: 'string', pattern: hostHeader.pattern, maxLength: 300 },
  body: { type: 'string', maxLength: 4096 },
  expectedCodes: { type: 'string', pattern: statusCodes.pattern, maxLength: 200 },
  expect: { type: 'string', minLength: 1, maxLength: 1024 },
} as const;

export const httpProbe: Probe<HttpParameters, never> = {
  name: 'http',
  parameters: {
    type: 'object',
    required: ['host', 'port'],
    additionalProperties: false,
    properties: { ...whereSchema, ...requestSchema },
  },
  check: (parameters, run) =>
    connection(parameters, run, (socket, end) => {
      socket.once('connect', () => ask(socket, parameters, end));
    }),
};

export const httpsProbe: Probe<HttpsParameters, never> = {
  name: 'https',
  parameters: {
    type: 'object',
    required: ['host', 'port'],
    additionalProperties: false,
    properties: { ...whereSchema, ...requestSchema, ...tlsSchema },
  },
  check: (parameters, run) =>
    connection(parameters, run, (socket, end) => {
      socket.once('connect', () => secure(socket, parameters, end, (secured) => ask(secured, parameters, end)));
    }),
};

function ask(socket: Socket, parameters: HttpParameters, end: End): void {
  let seen = '';
  const tryToEnd = (closed: boolean): void => {
    const fault = faultOf(seen, parameters, closed);
    if (fault !== undefined) end(fault);
  };
  socket.on('data', (bytes: Buffer) => {
    seen += bytes.toString('latin1');
    tryToEnd(false);
  });
  socket.once('end', () => tryToEnd(true));
  socket.write(requestOf(parameters));
}

/** The failure of a reply (latin1); null when it is good; undefined when it is incomplete. */
function faultOf(answer: string, parameters: HttpParameters, closed: boolean): string | null | undefined {
  const { expect, expectedCodes = '200' } = parameters;
  const final = finalReply(answer);
  if (final === 'NOT_HTTP') return 'its answer is not HTTP';
  if (final === undefined) return closed ? 'it closed the connection before its answer was complete' : undefined;
  const { head, rest, code } = final;
  if (!isExpected(code, expectedCodes)) return `it answered with status ${code}`;
  if (expect === undefined) return null;
  const body = /^transfer-encoding:.*\bchunked\s*$/im.test(head) ? withoutChunks(rest) : rest;
  if (body.includes(Buffer.from(expect).toString('latin1'))) return null;
  return closed || rest.length > mostBodyBytes ? 'its body does not have the expected text' : undefined;
}

interface Reply {
  readonly head: string;
  readonly rest: string;
  readonly code: number;
}

/** After interim replies (RFC 9110 section 15.2): with them its head has at most `mostHeadBytes`. Undefined: it is incomplete. */
function finalReply(answer: string): Reply | 'NOT_HTTP' | undefined {
  for (let from = 0; ; ) {
    const headEnd = answer.indexOf('\r\n\r\n', from);
    if ((headEnd < 0 ? answer.length : headEnd) > mostHeadBytes) return 'NOT_HTTP';
    if (headEnd < 0) return undefined;
    const head = answer.slice(from, headEnd);
    const code = Number(/^HTTP\/1\.[01] (\d{3})(?: |\r\n|$)/.exec(head)?.[1] ?? Number.NaN);
    if (Number.isNaN(code)) return 'NOT_HTTP';
    from = headEnd + 4;
    if (code < 100 || code >= 200 || code === 101) return { head, rest: answer.slice(from), code };
  }
}

function requestOf({
  method = 'GET',
  path = '/',
  host,
  port,
  hostHeader,
  body,
  authorization,
}: HttpParameters): string {
  const authority = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const length = body === undefined ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
  const login = authorization === undefined ? '' : `Authorization: ${authorization}\r\n`;
  return `${method} ${path} HTTP/1.1\r\nHost: ${hostHeader ?? authority}\r\nUser-Agent: tidegate-check\r\nAccept: */*\r\nConnection: close\r\n${login}${length}\r\n${body ?? ''}`;
}

function isExpected(code: number, expected: string): boolean {
  return expected.split(',').some((range) => {
    const [from, to = from] = range.split('-').map(Number);
    return code >= (from ?? 0) && code <= (to ?? 0);
  });
}

/** The data of the chunks received so far (RFC 9112 section 7.1). */
function withoutChunks(raw: string): string {
  let body = '';
  for (let at = 0; at < raw.length; ) {
    const lineEnd = raw.indexOf('\r\n', at);
    const size = lineEnd < 0 ? Number.NaN : Number.parseInt(raw.slice(at, lineEnd), 16);
    if (!(size > 0)) return body;
    body += raw.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + 2 + size + 2;
  }
  return body;
}
