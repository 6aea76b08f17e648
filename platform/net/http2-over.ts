// HTTP/2 on a connected socket, plain or TLS: nothing is dialled here.
import { type ClientHttp2Session, connect } from 'node:http2';
import type { Socket } from 'node:net';

/** `origin`, such as `https://host:port`, is only sent to the server. */
export function http2Over(socket: Socket, origin: string): ClientHttp2Session {
  return connect(origin, { createConnection: () => socket, settings: { enablePush: false } });
}
