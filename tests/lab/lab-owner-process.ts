// Owns a lab until it is killed, for tests of that; prints one line of JSON.

import { silentLog } from '../../embedded/setup-log.ts';
import { startLab } from '../../lab/lab.ts';

const lab = await startLab({ folder: process.argv[2] ?? '', log: silentLog });
process.stdout.write(`${JSON.stringify(lab.available ? { firewall: lab.firewall } : lab)}\n`);
setInterval(() => {}, 60_000);
