// Listens to what HAProxy logs: transitions of servers, as they happen, and the access log. Lines come over a unix socket, each after
// its length (RFC 6587, section 3.4.1).
import { chmod, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';

export interface Transition {
  readonly backend: string;
  readonly server: string;
  readonly status: 'UP' | 'DOWN';
  /** HAProxy's words. */
  readonly message: string;
}

export interface LogListenerOptions {
  readonly path: string;
  readonly transition: (transition: Transition) => void;
  /** One line of the access log: JSON. */
  readonly access: (line: string) => void;
}

const mostLineBytes = 16_384;
const serverLine = /^Server ([^ /]+)\/([^ ]+) is (UP|DOWN)\b/;
const checkLine =
  /^Health check for server ([^ /]+)\/([^ ]+) (?:succeeded|failed), (.*), status: \d+\/\d+ (UP|DOWN)\.?$/;

export class LogListener {
  readonly #options: LogListenerOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(options: LogListenerOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#read(socket));
  }

  async start(): Promise<void> {
    const { path } = this.#options;
    await rm(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(path, resolve);
    });
    await chmod(path, 0o600);
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #read(socket: Socket): void {
    this.#sockets.add(socket);
    let rest = Buffer.alloc(0);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      for (;;) {
        const space = rest.indexOf(0x20);
        if (space < 0 || space > 8) {
          if (rest.length > 8) socket.destroy();
          return;
        }
        const length = Number(rest.toString('latin1', 0, space));
        if (!Number.isInteger(length) || length < 0 || length > mostLineBytes) {
          socket.destroy();
          return;
        }
        if (rest.length < space + 1 + length) return;
        this.#line(rest.toString('utf8', space + 1, space + 1 + length).trim());
        rest = rest.subarray(space + 1 + length);
      }
    });
  }

  #line(line: string): void {
    const { transition, access } = this.#options;
    // HAProxy escapes a closing bracket too, as RFC 5424 has it; JSON does not.
    if (line.startsWith('{')) access(line.replaceAll(/\\(.)/g, (escaped, char) => (char === ']' ? char : escaped)));
    else {
      const found = transitionIn(line);
      if (found !== undefined) transition(found);
    }
  }
}

function transitionIn(line: string): Transition | undefined {
  const [, backend, server, status] = serverLine.exec(line) ?? [];
  if (backend !== undefined && server !== undefined)
    return { backend, server, status: status as Transition['status'], message: line.slice(0, 255) };
  const [, of, name, reason = '', now] = checkLine.exec(line) ?? [];
  if (of === undefined || name === undefined) return undefined;
  return { backend: of, server: name, status: now as Transition['status'], message: reason.slice(0, 255) };
}
