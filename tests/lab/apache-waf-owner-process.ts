// Owns a web application firewall until the process is killed, for tests of a kill. Prints its pid and port.

import { silentLog } from '../../embedded/setup-log.ts';
import { startApacheWaf } from '../../lab/apache-waf.ts';

const waf = await startApacheWaf({ folder: process.argv[2] ?? '', log: silentLog });
if (!waf.available) throw new Error(waf.unavailable);
process.stdout.write(`${JSON.stringify([waf.pid, waf.http.port])}\n`);
setInterval(() => {}, 60_000);
