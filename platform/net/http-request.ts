// Turns an HTTP call into the request on the wire: session headers added, body and content type made.

import type { HttpCall } from './http.ts';

export interface HttpRequest {
  readonly method: HttpCall['method'];
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** Headers that a login adds to every call; none before it. */
export interface SessionHeaders {
  readonly headers?: Readonly<Record<string, string>>;
  readonly writeHeaders?: Readonly<Record<string, string>>;
}

/** RFC 9112 section 3.2.1 requires an absolute path; characters that would end the request line are always refused. */
const originForm = /^\/[\x21-\x22\x24-\x7e]*$/;

/** The request, or why none can be made of this call. */
export function requestOf(call: HttpCall, session: SessionHeaders = {}): HttpRequest | { readonly fault: string } {
  if (!originForm.test(call.path)) return { fault: 'its path is not percent-encoded ASCII' };
  const { type, body } = bodyOf(call);
  // RFC 9110 section 12.5.3: without Accept-Encoding any encoding of the reply is allowed.
  const headers: Record<string, string> = {
    accept: 'application/json',
    'accept-encoding': 'identity',
    'user-agent': 'tidegate',
  };
  if (type !== undefined) headers['content-type'] = type;
  const sources = [session.headers, call.method === 'GET' ? undefined : session.writeHeaders, call.headers];
  for (const source of sources) {
    for (const [name, value] of Object.entries(source ?? {})) {
      // RFC 9110 section 5.5; a value may contain data from a device, for example a cookie.
      if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) return { fault: `its header ${name} has a control character` };
      headers[name.toLowerCase()] = value;
    }
  }
  return { method: call.method, path: call.path, headers, body };
}

function bodyOf(call: HttpCall): { readonly type?: string; readonly body: string | null } {
  if (call.form !== undefined) {
    return { type: 'application/x-www-form-urlencoded', body: new URLSearchParams(call.form).toString() };
  }
  if (call.body !== undefined) return { type: 'application/json', body: JSON.stringify(call.body) };
  return { body: null };
}
