// Owns a Neutron and a Keystone until the process is killed, for tests of a kill. Prints one line of JSON.

import { silentLog } from '../../embedded/setup-log.ts';
import { startNeutron, usualCacheFolder } from '../../lab/neutron.ts';

const started = await startNeutron({
  folder: process.argv[2] ?? '',
  cacheFolder: usualCacheFolder(),
  log: silentLog,
});
if (!started.available) throw new Error(started.unavailable);
process.stdout.write(`${JSON.stringify([started.keystone.pid, started.neutron.pid])}\n`);
setInterval(() => {}, 60_000);
