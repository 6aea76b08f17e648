// Faults of a request to /graphql before its document is read: the method, and the form of the body or of the query string (GraphQL over HTTP,
// section 5). Messages describe the correct form, and quote names of fields, never values.
import { bodyText, HttpError } from '../../platform/graph/http-body.ts';
import { jsonIn } from '../../platform/values/json.ts';
import type { EndpointRequest } from './endpoint-request.ts';

export interface RequestFault {
  readonly status: number;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const example = '{"query": "{ me { name } }", "variables": {}}';
const mostNames = 8;

/** Undefined if the document can be looked at. */
export function requestFault({
  method,
  search,
  body,
}: Pick<EndpointRequest, 'method' | 'search' | 'body'>): RequestFault | undefined {
  if (method === 'GET') return faultOfSearch(new URLSearchParams(search));
  if (method === 'POST') return bad(faultOfBody(body));
  const message = `${method} is not allowed at /graphql: POST a JSON body such as ${example}.`;
  return { status: 405, message, headers: { allow: 'GET, HEAD, POST, OPTIONS' } };
}

/** The body of a POST to /graphql. Throws HttpError 400 with the position of the fault, and none of the text. */
export function graphqlBody(body: Buffer): unknown {
  const text = bodyText(body);
  if (text.trim() === '') throw new HttpError(400, `The request body is empty: send JSON such as ${example}.`);
  try {
    return JSON.parse(text);
  } catch (error) {
    const place = /at position \d+ \(line (\d+) column (\d+)\)/.exec(String(error));
    const where = place === null ? '' : ` at line ${place[1]}, column ${place[2]}`;
    const isDocument = /^\s*(query|mutation|subscription|fragment)\b|^\s*\{\s*[A-Za-z_]/.test(text);
    const advice = isDocument ? 'put the GraphQL document into the field query,' : 'send JSON,';
    throw new HttpError(400, `The request body is not JSON${where}: ${advice} such as ${example}.`);
  }
}

function bad(message: string | undefined): RequestFault | undefined {
  return message === undefined ? undefined : { status: 400, message };
}

function faultOfSearch(search: URLSearchParams): RequestFault | undefined {
  for (const name of ['query', 'operationName', 'variables', 'extensions', 'documentId', 'id'])
    if (search.getAll(name).length > 1) return bad(`${name} is in the query string more than once: give it once.`);
  for (const name of ['variables', 'extensions']) {
    const text = search.get(name);
    if (text !== null && !isObjectIn(text)) return bad(`${name} in the query string is not a JSON object, such as {}.`);
  }
  const extensions = jsonIn(search.get('extensions') ?? 'null');
  if (['query', 'documentId', 'id'].some((name) => search.get(name)) || namesPersisted(extensions)) return undefined;
  return bad(
    'The request has no query: GET /graphql?query=…, or POST a JSON body. GraphiQL, for a browser, is at /graphiql.',
  );
}

function faultOfBody(body: unknown): string | undefined {
  if (Array.isArray(body))
    return `The body is a list: send each operation in a request of its own, such as ${example}.`;
  if (!isRecord(body)) return `The body is not a JSON object: send one such as ${example}.`;
  const { query, variables, extensions, operationName } = body;
  if (variables != null && !isRecord(variables)) return notAnObject('variables', variables);
  if (extensions != null && !isRecord(extensions)) return notAnObject('extensions', extensions);
  if (operationName != null && typeof operationName !== 'string')
    return `operationName is ${kindOf(operationName)}: send the name of an operation of the document, or leave it out.`;
  if (query != null && typeof query !== 'string')
    return `query is ${kindOf(query)}: send the GraphQL document as a string.`;
  if (query || body.documentId != null || namesPersisted(extensions)) return undefined;
  const names = Object.keys(body);
  const has = names.length === 0 ? 'nothing' : names.slice(0, mostNames).map(shown).join(', ');
  return `The body has no query (it has ${has}): send one such as ${example}.`;
}

function namesPersisted(extensions: unknown): boolean {
  return isRecord(extensions) && extensions.persistedQuery != null;
}

function notAnObject(name: string, value: unknown): string {
  const advice = typeof value === 'string' ? 'send the object itself, not its JSON text' : 'send an object such as {}';
  return `${name} is ${kindOf(value)}: ${advice}.`;
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function shown(name: string): string {
  return JSON.stringify(name.slice(0, 40));
}

function isObjectIn(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return value === null || isRecord(value);
  } catch {
    return false;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
