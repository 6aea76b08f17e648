// One process at a time has a folder: two would undo each other's work. An abstract socket (unix(7)) ends with its process, however that ends.
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError } from '../errors/config-error.ts';

const pollMs = 100;

interface HoldWish {
  /** Resolved: without symbolic links. */
  readonly folder: string;
  /** The role's setting of the folder, for example lbhost.folder. */
  readonly setting: string;
  /** Time to wait for another process that is ending. */
  readonly waitMs: number;
}

/** Held until the server is closed. Throws ConfigError when another process does not end. */
export async function holdFolder({ folder, setting, waitMs }: HoldWish): Promise<Server> {
  const [role] = setting.split('.');
  const name = `\0tidegate-${role}-${createHash('sha256').update(folder).digest('hex').slice(0, 32)}`;
  for (const until = performance.now() + waitMs; ; await sleep(pollMs)) {
    const server = createServer((socket) => socket.destroy());
    const taken = await new Promise<boolean>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) =>
        error.code === 'EADDRINUSE' ? resolve(true) : reject(error),
      );
      server.listen(name, () => resolve(false));
    });
    if (!taken) return server;
    if (performance.now() > until)
      throw new ConfigError([
        {
          settings: [setting],
          wrong: `another process uses ${folder}`,
          advice: 'stop it, or give each process a folder of its own',
        },
      ]);
  }
}
