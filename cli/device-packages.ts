// Installs the system packages that a part of the lab needs.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Interruption } from './failures.ts';

const installer = join(import.meta.dirname, '..', 'bin', 'boot', 'device-packages.mjs');

/** Reports packages that it can't install. The device then reports the missing ones. */
export async function installPackages(part: string, signal: AbortSignal): Promise<void> {
  const child = spawn(process.execPath, [installer, part], { stdio: ['inherit', process.stderr, 'inherit'] });
  const end = () => child.kill('SIGTERM');
  signal.addEventListener('abort', end, { once: true });
  await once(child, 'exit');
  signal.removeEventListener('abort', end);
  if (signal.aborted) throw new Interruption();
}
