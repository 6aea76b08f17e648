// A network 127.X.0.0/16 that no other test or trial on this machine uses. A listener at its last address marks the
// owner.
import { once } from 'node:events';
import { createServer } from 'node:net';

const [first, last] = [96, 126];
const port = 19_999;

export interface OwnNetwork {
  /** X. */
  readonly part: number;
  release(): void;
}

export async function ownNetwork(): Promise<OwnNetwork> {
  for (let part = first; part <= last; part += 1) {
    const server = createServer();
    server.listen(port, `127.${part}.255.254`);
    try {
      await once(server, 'listening');
      server.unref();
      return { part, release: () => server.close() };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
  throw new Error(`other tests have all networks from 127.${first} to 127.${last}`);
}
