// From an HTTP call to the request as it is written: session headers added, body and its type made.

import type { HttpCall } from './http.ts';

export interface HttpRequest {
  readonly method: HttpCall['method'];
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** What a log-in gives every call; nothing before it. */
export interface SessionHeaders {
  readonly headers?: Readonly<Record<string, string>>;
  readonly writeHeaders?: Readonly<Record<string, string>>;
}

/** RFC 9112 section 3.2.1 asks for an absolute path; characters that would end the request line are never let through. */
const originForm = /^\/[\x21-\x22\x24-\x7e]*$/;

/** The request, or why it can't be made of this call. */
export function requestOf(call: HttpCall, session: SessionHeaders = {}): HttpRequest | { readonly fault: string } {
  if (!originForm.test(call.path)) return { fault: 'its path is not percent-encoded ASCII' };
  const { type, body } = bodyOf(call);
  // RFC 9110 section 12.5.3: without a word about it any encoding of the reply would do.
  const headers: Record<string, string> = {
    accept: 'application/json',
    'accept-encoding': 'identity',
    'user-agent': 'tidegate',
  };
  if (type !== undefined) headers['content-type'] = type;
  const sources = [session.headers, call.method === 'GET' ? undefined : session.writeHeaders, call.headers];
  for (const source of sources) {
    for (const [name, value] of Object.entries(source ?? {})) {
      // RFC 9110 section 5.5; a value may hold what a device gave, for example a cookie.
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
