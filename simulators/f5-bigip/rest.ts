// The formats of iControl REST 13.1: JSON bodies, and the three error formats of its layers: mcpd's (a code, a message that
// begins with a number), restjavad's (`:resterrorresponse`) and Jetty's HTML. iControl REST User Guide 13.1, chapter About JSON
// format; examples in f5-ansible#269, k8s-bigip-ctlr#2192 and f5-appsvcs-extension#780.

import type { DeviceAnswer } from '../support/tls-server.ts';

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: JsonValue | undefined;
}

/** A refusal is thrown inside the simulator and becomes the answer: nothing was changed. */
export class Refusal extends Error {
  readonly answer: DeviceAnswer;

  constructor(message: string, answer: DeviceAnswer) {
    super(message);
    this.answer = answer;
  }
}

export function json(status: number, body: JsonObject): DeviceAnswer {
  return { status, headers: { 'content-type': 'application/json; charset=UTF-8' }, body: JSON.stringify(body) };
}

/** A refusal by mcpd: `message` begins with its number, for example `01020036:3: `. */
export function mcpRefusal(status: number, message: string, apiError = 3): Refusal {
  return new Refusal(message, json(status, { code: status, message, errorStack: [], apiError }));
}

/** A refusal by the REST framework itself, before mcpd sees the call. */
export function restRefusal(status: number, message: string): Refusal {
  const restOperationId = 6_616_022;
  const body = { code: status, message, referer: '127.0.0.1', restOperationId, kind: ':resterrorresponse' };
  return new Refusal(message, json(status, body));
}

export function html(status: number, title: string): DeviceAnswer {
  const body = `<html>\n<head>\n<title>Error ${status} ${title}</title>\n</head>\n<body>\n<h2>HTTP ERROR ${status}</h2>\n<p>${title}</p>\n</body>\n</html>\n`;
  return { status, headers: { 'content-type': 'text/html;charset=ISO-8859-1' }, body };
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A body that must be a JSON object; an empty body is an empty object. */
export function readBody(text: string): JsonObject {
  if (text === '') return {};
  try {
    const body: unknown = JSON.parse(text);
    if (isObject(body)) return body;
  } catch {
    // Refused below.
  }
  throw mcpRefusal(400, 'Found invalid JSON body in the request.', 26_214_401);
}
