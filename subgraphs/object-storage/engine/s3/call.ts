// A request of an authenticated caller, and how its answer is sent.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '../../../../platform/log/log.ts';
import type { Caller, Namespace } from '../namespace/namespace.ts';
import type { ByteBudget } from './byte-budget.ts';
import type { S3Error } from './errors.ts';
import type { Pace } from './pace.ts';
import type { S3Address } from './s3-address.ts';
import type { Payload } from './sigv4/payload.ts';
import { errorBody, text } from './xml.ts';

/** Shared by all requests of a server. */
export interface ServerContext {
  readonly namespace: Namespace;
  readonly region: string;
  readonly pace: Pace;
  readonly documents: ByteBudget;
  readonly log: Logger;
}

/** A request whose caller may be unknown. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  /** How its interface answers an error while the body is received. Default: as S3. */
  readonly refuse?: (error: S3Error) => Promise<void>;
}

export interface Call extends Exchange {
  readonly context: ServerContext;
  readonly s3Address: S3Address;
  readonly caller: Caller;
  readonly payload: Payload;
}

export type Operation = (call: Call) => Promise<void>;
export type Headers = Readonly<Record<string, string | number>>;

const mostRestBytes = 1024 * 1024;
const lingerMs = 2_000;

export function header({ request }: Exchange, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

export async function sendXml(call: Call, xml: string, headers: Headers = {}): Promise<void> {
  await send(call, 200, { 'content-type': 'application/xml', ...headers }, xml);
}

export async function sendEmpty(call: Call, status: number, headers: Headers = {}): Promise<void> {
  await send(call, status, headers);
}

export async function sendJson(exchange: Exchange, status: number, body: object, headers: Headers = {}): Promise<void> {
  const text = exchange.request.method === 'HEAD' ? '' : JSON.stringify(body);
  await send(exchange, status, { 'content-type': 'application/json; charset=utf-8', ...headers }, text);
}

export async function sendError(exchange: Exchange, error: S3Error): Promise<void> {
  const hasBody = exchange.request.method !== 'HEAD' && error.status !== 304;
  const type: Headers = hasBody ? { 'content-type': 'application/xml' } : {};
  await send(exchange, error.status, { ...type, ...error.headers }, hasBody ? errorXml(exchange, error) : '');
}

export function errorXml({ request, requestId }: Exchange, error: S3Error): string {
  const details = Object.entries(error.details).map(([name, value]) => text(name, value));
  return errorBody(
    text('Code', error.code) +
      text('Message', error.message) +
      details.join('') +
      text('Resource', (request.url ?? '/').split('?', 1)[0] ?? '/') +
      text('RequestId', requestId),
  );
}

async function send({ request, response }: Exchange, status: number, headers: Headers, body = ''): Promise<void> {
  if (response.headersSent || response.destroyed) return;
  const isUnread = hasUnreadBody(request);
  const length: Headers = status === 204 || status === 304 ? {} : { 'content-length': Buffer.byteLength(body) };
  response.writeHead(status, { ...headers, ...length, ...(isUnread ? { connection: 'close' } : {}) });
  if (!isUnread) {
    response.end(body);
    return;
  }
  // Closing a connection while bytes arrive resets it, and the client may lose the answer.
  if (body === '') response.flushHeaders();
  else response.write(body);
  await discardRest(request);
  response.end();
}

function hasUnreadBody(request: IncomingMessage): boolean {
  if (request.complete) return false;
  const { headers } = request;
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Bounded in bytes and time. */
function discardRest(request: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    let restBytes = 0;
    const end = () => {
      clearTimeout(timer);
      request.off('data', take).pause();
      resolve();
    };
    const take = (chunk: Buffer) => {
      restBytes += chunk.length;
      if (restBytes > mostRestBytes) end();
    };
    const timer = setTimeout(end, lingerMs);
    request.once('end', end).once('close', end).on('data', take).resume();
  });
}
