// A process that owns a data folder with a PowerDNS, for tests that kill it. Arguments: folder, port, and address (default: 127.0.0.1). It
// prints one line of JSON.

import { openDataFolder } from '../../embedded/data-folder.ts';
import { startPowerdns } from '../../embedded/powerdns.ts';
import { silentLog } from '../../embedded/setup-log.ts';

const [path = '', port, address] = process.argv.slice(2);
const folder = await openDataFolder(path, { version: 1 });
const { pid, keyFile } = await startPowerdns({
  folder,
  log: silentLog,
  port: Number(port),
  ...(address === undefined ? {} : { address }),
  zones: ['lb.example.test'],
});
process.stdout.write(`${JSON.stringify({ pid, keyFile })}\n`);
setInterval(() => {}, 60_000);
