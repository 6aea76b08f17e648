// Two starts in one checkout at the same moment: the second waits, then finds everything done.

import { spawn } from 'node:child_process';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';

/** The lock is flock(2)'s on a descriptor of ours: it goes with this process, also when that is killed. */
export async function withLock(root, name, work) {
  const folder = join(root, 'generated');
  await mkdir(folder, { recursive: true });
  const file = await open(join(folder, `.${name}-lock`), 'a');
  try {
    await lockDescriptor(file.fd);
    await work();
  } finally {
    await file.close();
  }
}

/** Without the program (util-linux has it) there is no lock, and the two starts take their chances. */
function lockDescriptor(fd) {
  return new Promise((resolve) => {
    const child = spawn('flock', ['3'], { stdio: ['ignore', 'ignore', 'ignore', fd] });
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
}
