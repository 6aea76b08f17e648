// Freezes a disk of the trial of high availability, and is killed then. arguments: the trial's folder, for how many milliseconds
import { mountDisk } from '../../../trials/ha/disk.ts';

const [, , folder = '', forMs = ''] = process.argv;
const disk = await mountDisk(folder, 'a');
await disk.freezeFor(Number(forMs));
process.stdout.write('frozen\n');
setInterval(() => undefined, 1_000);
