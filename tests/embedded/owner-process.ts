// A small all-in-one process, for tests that kill one. It owns the folder, runs both servers, and prints one line of JSON.

import { openDataFolder } from '../../embedded/data-folder.ts';
import { startMariadb } from '../../embedded/mariadb.ts';
import { startRedis } from '../../embedded/redis.ts';
import { silentLog } from '../../embedded/setup-log.ts';

const folder = await openDataFolder(process.argv[2] ?? '', { version: 1 });
const mariadb = await startMariadb({ folder, log: silentLog });
const redis = await startRedis({ folder, log: silentLog });
process.stdout.write(`${JSON.stringify({ mariadb: mariadb.pid, redis: redis.pid })}\n`);
setInterval(() => {}, 60_000);
