// Owns a lab until the process is killed, for tests of a kill. Prints one line of JSON.

import { silentLog } from '../../embedded/setup-log.ts';
import { startLab } from '../../lab/lab.ts';

const lab = await startLab({ folder: process.argv[2] ?? '', log: silentLog });
process.stdout.write(`${JSON.stringify(lab.available ? { firewall: lab.firewall } : lab)}\n`);
setInterval(() => {}, 60_000);
