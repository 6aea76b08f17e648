// Installs what a part of the lab needs from the system's package manager, for `tidegate lab add`: node part-packages.mjs PART. What can't
// be installed is told; the part then says what it misses.

import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Progress } from './progress.mjs';
import { endWithParent } from './run.mjs';
import { installPartPackages } from './system-packages.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

endWithParent();
await installPartPackages(process.argv[2], { root, mayInstall: true, progress: new Progress(process.stderr) });
