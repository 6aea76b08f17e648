// Freezes a disk of the trial of high availability, and is killed then. arguments: where to mount it, for how many milliseconds
import { freeze, mountDisk } from '../../../../bench/trials/ha/disk.ts';

const [, , path = '', forMs = ''] = process.argv;
await mountDisk(path);
await freeze(path, Number(forMs));
process.stdout.write('frozen\n');
setInterval(() => undefined, 1_000);
