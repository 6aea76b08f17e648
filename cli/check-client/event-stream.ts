// One subscription of a row, as Server-Sent Events and over a WebSocket: the same items, and the same ends.
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ExecutionResult } from 'graphql';
import type { Opening } from '../../clients/failure-table/row.ts';
import { completeEvent, eventStreamHeaders, heartbeat, nextEvent } from '../../gateway/http/server-sent-events.ts';
import { socketCloses } from '../../platform/errors/errors.ts';
import { errorOf, type Played } from './messages.ts';
import type { Asked } from './played-graph.ts';
import type { StreamedItem } from './row-world.ts';

/** A heartbeat. The product sends one every 30 s, which would take the check too long. */
export const beatMs = 200;
const paddingBytes = 1024 * 1024;

/** How a stream signals its end: an event stream by an error, a socket by its close. Absent if it gives no signal. */
export const saidEnds = {
  'the gateway stops': socketCloses.goingAway,
  'the token expires': socketCloses.accessTokenEnded,
  'the rights change': socketCloses.rightsChanged,
} as const;

interface StreamItem {
  readonly cursor: string;
  readonly result: ExecutionResult;
}

/** The items of a subscription, or the error with which it is refused. */
export async function* itemsOf(
  { graph, world }: Played,
  asked: Asked,
  opening: Opening,
  after: unknown,
): AsyncGenerator<StreamItem | { readonly refusal: string }, void, void> {
  const position = world.begins(after);
  if (typeof position === 'string') {
    yield { refusal: position };
    return;
  }
  const field = asked.fields[0]?.name ?? '';
  for (const item of world.events(position, opening)) {
    const { cursor } = item;
    yield { cursor, result: await resultOf(item, () => graph.answer(asked, { [field]: item.value })) };
  }
}

async function resultOf({ kind, cursor }: StreamedItem, execute: () => Promise<ExecutionResult>) {
  if (kind === 'broken')
    return errorOf('INTERNAL', 'The check plays an event that can not be read.', { cursor }) as never;
  const result = await execute();
  return kind === 'large' ? { ...result, extensions: { padding: 'x'.repeat(paddingBytes) } } : result;
}

interface Streaming {
  readonly opening: Opening;
  readonly after: unknown;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

export async function serveEventStream(
  played: Played,
  asked: Asked,
  { opening, after, request, response }: Streaming,
): Promise<void> {
  response.writeHead(200, { ...eventStreamHeaders, connection: 'close' });
  response.write(heartbeat);
  const measure = meterOf(played, () => response.socket?.bytesWritten ?? 0);
  for await (const item of itemsOf(played, asked, opening, after)) {
    if ('refusal' in item) {
      response.end(`${nextEvent(JSON.stringify(errorOf(item.refusal, 'The check plays it.')))}${completeEvent}`);
      return;
    }
    // The kernel has taken what was written before.
    if (!response.write(nextEvent(JSON.stringify(item.result), item.cursor))) await drained(response);
    if (response.destroyed) return;
    measure();
  }
  await endStream(played, opening, request, response);
}

async function endStream({ world }: Played, { end }: Opening, request: IncomingMessage, response: ServerResponse) {
  switch (end) {
    case undefined: {
      const beat = setInterval(() => response.write(heartbeat), beatMs);
      response.once('close', () => clearInterval(beat));
      return;
    }
    case 'silence':
      return;
    case 'cut':
      // Lets the written data arrive first.
      response.write(heartbeat, () => request.socket.destroy());
      return;
    case 'cut in an event':
      response.write('event: next\nid: half\ndata: {"data":{"statusCh', () => request.socket.destroy());
      return;
    default: {
      if (end === 'the token expires') world.expire('access token');
      const { error, reason } = saidEnds[end];
      response.end(`${nextEvent(JSON.stringify(errorOf(error, reason)))}${completeEvent}`);
    }
  }
}

/** Notes how much the client took shortly after the first event, for a consumer that pauses there. */
export function meterOf({ world }: Played, written: () => number): () => void {
  const { step } = world;
  let isRunning = false;
  return () => {
    if (isRunning || step.do !== 'follow' || step.consumerPauseMs === undefined) return;
    isRunning = true;
    const timer = setTimeout(() => {
      world.takenEarlyBytes = written();
    }, step.consumerPauseMs / 2);
    timer.unref();
  };
}

async function drained(response: ServerResponse): Promise<void> {
  const over = new AbortController();
  const { signal } = over;
  const ends = [once(response, 'drain', { signal }), once(response, 'close', { signal })];
  await Promise.race(ends);
  over.abort();
  await Promise.allSettled(ends);
}
