// Freezes a disk of the high availability trial until it is killed. Arguments: the trial's folder, the duration in
// milliseconds.
import { mountDisk } from '../../../trials/ha/disk.ts';

const [, , folder = '', forMs = ''] = process.argv;
const disk = await mountDisk(folder, 'a');
await disk.freezeFor(Number(forMs));
process.stdout.write('frozen\n');
setInterval(() => undefined, 1_000);
