// The text of Server-Sent Events (WHATWG HTML, section 9.2) as the GraphQL over SSE protocol uses them, in distinct connections mode:
// `next` with a result, and `complete` at the end (https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md).
import { dataPolicy } from './security-headers.ts';

export const eventStreamType = 'text/event-stream';

export const eventStreamHeaders: Readonly<Record<string, string>> = {
  'content-type': `${eventStreamType}; charset=utf-8`,
  'cache-control': 'no-store',
  'content-security-policy': dataPolicy,
  // Keeps nginx from buffering events.
  'x-accel-buffering': 'no',
};

/** A comment, which clients ignore. */
export const heartbeat = ':\n\n';
/** With data, because browsers drop events without. */
export const completeEvent = 'event: complete\ndata:\n\n';

/** `json`: one line. `id`: the client's `Last-Event-ID` when it reconnects. */
export function nextEvent(json: string, id?: string): string {
  return `event: next\n${id === undefined ? '' : `id: ${id}\n`}data: ${json}\n\n`;
}
