// Plays one HTTP request of a row: login, queries, mutations, and event streams. The answer is the product's, or a failure that the row prescribes.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ExecutionResult } from 'graphql';
import type { Play } from '../../clients/failure-table/row.ts';
import { completeEvent, eventStreamHeaders, heartbeat, nextEvent } from '../../gateway/http/server-sent-events.ts';
import { serveEventStream } from './event-stream.ts';
import { bearerOf, bodyOf, errorOf, type Played } from './messages.ts';
import { type Asked, OperationTypeNode, type Sent } from './played-graph.ts';
import type { Seen } from './row-world.ts';

/** `url`: the request's. */
export async function playRequest(
  played: Played,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { graph, world } = played;
  const sent = await sentIn(url, request);
  let asked: Asked;
  try {
    asked = graph.asked(sent);
  } catch (error) {
    world.faults.push(`sent an operation that the graph refuses: ${(error as Error).message}`);
    return answer(response, 200, {
      errors: [{ message: (error as Error).message, extensions: { code: 'BAD_REQUEST' } }],
    });
  }
  const kind = world.kindOf(asked);
  if (kind === undefined) {
    const message = `The check does not play ${asked.fields.map(({ name }) => name).join(', ')}.`;
    world.faults.push(`asked for something else: ${message}`);
    return answer(response, 200, errorOf('BAD_REQUEST', message));
  }
  const isStream = request.headers.accept?.includes('text/event-stream') ?? false;
  if ((asked.kind === OperationTypeNode.SUBSCRIPTION) !== isStream) {
    const message = 'A subscription needs Accept: text/event-stream; queries and mutations are played as JSON.';
    world.faults.push(message);
    return answer(response, 400, errorOf('BAD_REQUEST', message));
  }
  const needsLogin = kind !== 'login' && kind !== 'refresh';
  const noted = world.note(kind, asked);
  const seen = noted.seen;
  try {
    if (noted.play.kind === 'expire') world.expire(noted.play.what);
    if (needsLogin && !world.isKnown(bearerOf(request)))
      return refuse(response, seen, { kind: 'error', code: 'UNAUTHENTICATED', status: 401 }, isStream);
    const { play, opening } = noted;
    if (opening !== undefined && play.kind === 'answer') {
      // A client that reconnects may repeat its first request, with its last cursor.
      const after = request.headers['last-event-id'] ?? seen.args.after;
      return await serveEventStream(played, asked, { opening, after, request, response });
    }
    await playOne(played, asked, { play, seen, request, response, isStream });
  } finally {
    seen.answeredAtMs = performance.now();
  }
}

interface Playing {
  readonly play: Play;
  readonly seen: Seen;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly isStream: boolean;
}

async function playOne(
  { graph, world, elsewhere }: Played,
  asked: Asked,
  { play, seen, request, response, isStream }: Playing,
) {
  const carryOut = () => graph.answer(asked, world.valuesOf(asked));
  switch (play.kind) {
    case 'answer':
    case 'expire':
      return answer(response, 200, await carryOut());
    case 'cut':
      return cut(request, response, play.when, play.when === 'before' ? {} : await carryOut());
    case 'silence':
      return;
    case 'page': {
      if (play.isCarriedOut) await carryOut();
      const seconds = play.retryAfterSeconds;
      if (seconds !== undefined) seen.retryAfterMs = seconds * 1000;
      response.writeHead(play.status, {
        'content-type': 'text/html',
        ...(seconds === undefined ? {} : { 'retry-after': String(seconds) }),
      });
      response.end(`<html><body><h1>${play.status}</h1><p>A proxy answers in place of the gateway.</p></body></html>`);
      return;
    }
    case 'redirect':
      response.writeHead(307, { location: elsewhere }).end();
      return;
    case 'refusal': {
      const { code, retry, retryAfterMs } = play;
      seen.retryAfterMs = retryAfterMs ?? 0;
      const error = { code, retry, field: ['backend'], message: `The check plays ${code}.`, retryAfterMs };
      const [field] = asked.fields;
      return answer(response, 200, await graph.answer(asked, { [field?.name ?? '']: { userErrors: [error] } }));
    }
    case 'error': {
      const done = play.isCarriedOut ? await carryOut() : undefined;
      return refuse(response, seen, play, isStream, play.hasOutcome ? outcomeIn(done) : undefined);
    }
  }
}

function outcomeIn(done: ExecutionResult | undefined): object {
  const [payload] = Object.values(done?.data ?? {}) as { readonly operation?: { readonly id?: string } }[];
  return { operationId: payload?.operation?.id ?? null, state: 'SUCCEEDED', result: {} };
}

function refuse(
  response: ServerResponse,
  seen: Seen,
  { code, status = 200, retryAfterMs }: Extract<Play, { readonly kind: 'error' }>,
  isStream: boolean,
  outcome?: object,
): void {
  seen.retryAfterMs = retryAfterMs ?? 0;
  const more = {
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(outcome === undefined ? {} : { outcome }),
  };
  const body = errorOf(code, `The check plays ${code}.`, more);
  if (isStream && status === 200) {
    response.writeHead(200, { ...eventStreamHeaders, connection: 'close' });
    response.end(`${heartbeat}${nextEvent(JSON.stringify(body))}${completeEvent}`);
  } else {
    const headers = retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) };
    answer(response, status, body, headers);
  }
}

function answer(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
  response.end(JSON.stringify(body));
}

function cut(request: IncomingMessage, response: ServerResponse, when: string, result: object): void {
  if (when !== 'in the answer') {
    request.socket.destroy();
    return;
  }
  const text = Buffer.from(JSON.stringify(result));
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length });
  response.write(text.subarray(0, Math.floor(text.length / 2)), () => request.socket.destroy());
}

async function sentIn(url: URL, request: IncomingMessage): Promise<Sent> {
  if (request.method === 'GET') {
    const { query, variables, operationName } = Object.fromEntries(url.searchParams);
    return { query, operationName, variables: variables === undefined ? {} : JSON.parse(variables) };
  }
  return (await bodyOf(request)) as Sent;
}
