// A lock for two starts in one checkout at the same time: the second waits, then finds everything done.

import { spawn } from 'node:child_process';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';

/** The lock is flock(2) on a descriptor of this process: it ends with the process, also if that is killed. */
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

/** Without the program flock (package util-linux) there is no lock, and two starts may disturb each other. */
function lockDescriptor(fd) {
  return new Promise((resolve) => {
    const child = spawn('flock', ['3'], { stdio: ['ignore', 'ignore', 'ignore', fd] });
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
}
