// Three clusters of the smallest program of the same design (floor-program.ts), each with its own database.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { platformMigrations } from '../../compose/places.ts';
import { openDataFolder } from '../../embedded/data-folder.ts';
import { startMariadb } from '../../embedded/mariadb.ts';
import { silentLog } from '../../embedded/setup-log.ts';
import { CommandChild } from '../../measure/command-child.ts';
import { migrate } from '../../platform/database/migrate.ts';
import { objectClusterMigrations } from '../../subgraphs/object-storage/engine/store/owner.ts';
import { freePort } from '../../tests/support/machine/free-port.ts';
import type { FloorProgram } from './floor-program.ts';

const clusters = [0, 1, 2];
const script = fileURLToPath(new URL('./floor-program.ts', import.meta.url));

interface Floor {
  readonly urls: readonly string[];
  readonly pids: readonly number[];
}

export async function startFloor(stack: AsyncDisposableStack, folder: string): Promise<Floor> {
  const ports: number[] = [];
  for (const _ of clusters) ports.push(await freePort());
  const pids: number[] = [];
  for (const cluster of clusters) {
    const data = await openDataFolder(join(folder, `data-${cluster}`), { version: 1 });
    stack.defer(() => data.close());
    const mariadb = await startMariadb({ folder: data, log: silentLog });
    stack.defer(() => mariadb.stop());
    await migrate(mariadb.application, [platformMigrations, objectClusterMigrations]);
    const disk = join(folder, `disk-${cluster}`);
    const program: FloorProgram = { connection: mariadb.application, folder: disk, cluster, ports };
    const child = new CommandChild({ script, file: join(folder, `${cluster}.json`), program });
    stack.defer(() => child.kill());
    await child.start();
    pids.push(child.pid, mariadb.pid);
  }
  return { urls: ports.map((port) => `http://127.0.0.1:${port}`), pids };
}
