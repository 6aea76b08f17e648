// Starts two routers in the folder given as the argument, prints the pids of their processes, and runs until it is killed.
import { silentLog } from '../../embedded/setup-log.ts';
import { startRouters } from '../../lab/routers/routers.ts';

const [, , folder = ''] = process.argv;
const started = await startRouters({ folder, log: silentLog, signal: new AbortController().signal });
if (!started.available) throw new Error(started.unavailable);
const pids = await Promise.all(started.routers.map((router) => router.insidePid()));
process.stdout.write(`${JSON.stringify(pids)}\n`);
setInterval(() => {}, 1_000);
