// Requests with several Host headers are refused (RFC 9112, section 3.2): a proxy and a server that each take another one of them disagree about whom a
// request is for.
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

const events: ReadonlySet<string | symbol> = new Set(['request', 'checkContinue', 'checkExpectation', 'upgrade']);
const message = 'The request has several Host headers: send one.\n';

/** Answers such requests with 400, before any listener of the server sees them. */
export function requireOneHost(server: Pick<Server, 'emit'>): void {
  const emit = server.emit.bind(server) as (event: string | symbol, ...given: readonly unknown[]) => boolean;
  server.emit = (event: string | symbol, ...given: readonly unknown[]): boolean => {
    const [request, answer] = given as [IncomingMessage, ServerResponse | Duplex];
    if (!events.has(event) || !hasSeveral(request)) return emit(event, ...given);
    const head = { 'content-type': 'text/plain; charset=utf-8', connection: 'close' };
    if ('writeHead' in answer) answer.writeHead(400, head).end(message);
    else
      answer.end(
        `HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: ${message.length}\r\nConnection: close\r\n\r\n${message}`,
      );
    return true;
  };
}

function hasSeveral({ rawHeaders }: IncomingMessage): boolean {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) if (rawHeaders[at]?.toLowerCase() === 'host') count += 1;
  return count > 1;
}
