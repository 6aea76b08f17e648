// Listens in front of the web server when proxies use the PROXY protocol: removes the header from their connections, and passes
// the connections on. Connections from elsewhere are passed on unchanged.
import { createServer, type Server, type Socket } from 'node:net';
import type { Logger } from 'pino';
import type { ClientAddresses } from './client-address.ts';
import { readProxyHeader } from './proxy-protocol.ts';

/** Deadline of a header in one packet. */
const headerMs = 3_000;

export function proxiedListener(options: {
  readonly server: Server;
  readonly addresses: ClientAddresses;
  readonly log: Logger;
}): Server {
  const { server, addresses, log } = options;
  return createServer((connection) => {
    // For errors before the server owns the connection.
    const fail = (): void => void connection.destroy();
    connection.on('error', fail);
    const handOn = (): void => {
      connection.off('error', fail);
      server.emit('connection', connection);
    };
    const neighbour = addresses.connected(connection);
    if (neighbour === undefined) return fail();
    if (!addresses.isTrusted(neighbour)) return handOn();
    takeHeader(
      connection,
      (address) => {
        addresses.note(connection, address);
        handOn();
      },
      (reason) => {
        log.warn({ proxy: neighbour, reason }, 'a connection from a trusted proxy is refused');
        fail();
      },
    );
  });
}

function takeHeader(
  connection: Socket,
  taken: (address: string | undefined) => void,
  refused: (reason: string) => void,
): void {
  let bytes: Buffer = Buffer.alloc(0);
  const timer = setTimeout(() => end(() => refused(`no PROXY protocol header within ${headerMs} ms`)), headerMs);
  const end = (then: () => void): void => {
    clearTimeout(timer);
    connection.off('readable', read).off('close', gone);
    then();
  };
  const gone = (): void => end(() => undefined);
  const read = (): void => {
    const part = connection.read() as Buffer | null;
    if (part === null) return;
    bytes = Buffer.concat([bytes, part]);
    try {
      const header = readProxyHeader(bytes);
      if (header === undefined) return;
      const rest = bytes.subarray(header.length);
      end(() => {
        if (rest.length > 0) connection.unshift(rest);
        taken(header.address);
      });
    } catch (error) {
      end(() => refused(error instanceof Error ? error.message : String(error)));
    }
  };
  connection.on('readable', read).once('close', gone);
}
