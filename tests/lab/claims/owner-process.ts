// Owns one resource of each kind until the process is killed, for tests of a kill: the lab's firewall, a disk in a file, and a process that
// outlives this one. Argument: a folder.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { silentLog } from '../../../embedded/setup-log.ts';
import { startLab } from '../../../lab/lab.ts';
import { LoopDisk } from '../../../lab/loop-disk.ts';

const [, , folder = ''] = process.argv;
const lab = await startLab({ folder: join(folder, 'lab'), log: silentLog });
if (!lab.available) throw new Error(lab.unavailable);
const words = ['netns', 'exec', lab.client.namespace, 'sh', '-c', 'sleep 86400; :', join(folder, 'child')];
spawn('ip', words, { detached: true, stdio: 'ignore' }).unref();
await new LoopDisk({ image: join(folder, 'disk.img'), folder: join(folder, 'disk'), sizeMiB: 64 }).mount();
process.stdout.write('ready\n');
setInterval(() => {}, 60_000);
