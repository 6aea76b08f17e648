// A plain HTTPS client that trusts one certificate, for tests of a device without a driver.

import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { TlsServer } from '../../../simulators/support/tls-server.ts';

export interface Got {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body as JSON. Undefined if it is not JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into whatever came
  readonly json: any;
}

export type Call = (
  method: string,
  path: string,
  more?: { readonly body?: unknown; readonly headers?: Record<string, string> },
) => Promise<Got>;

/** `headers` are sent with every call. A body that is not a string is sent as JSON. */
export function clientOf(server: TlsServer, headers: Record<string, string> = {}): Call {
  return async (method, path, more = {}) => {
    const sent = request({
      host: server.host,
      port: server.port,
      method,
      path,
      ca: server.certificate.cert,
      agent: false,
      headers: { 'content-type': 'application/json', ...headers, ...more.headers },
    });
    sent.end(typeof more.body === 'string' ? more.body : more.body && JSON.stringify(more.body));
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString('utf8');
    return { status: response.statusCode ?? 0, headers: response.headers, text, json: parse(text) };
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
