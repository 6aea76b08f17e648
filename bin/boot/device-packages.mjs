// Installs what a device of the lab needs from the system's package manager, for `tidegate lab add`: node device-packages.mjs DEVICE. What can't
// be installed is told; the device then says what it misses.

import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Progress } from './progress.mjs';
import { endWithParent } from './run.mjs';
import { installDevicePackages } from './system-packages.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

endWithParent();
await installDevicePackages(process.argv[2], { root, mayInstall: true, progress: new Progress(process.stderr) });
