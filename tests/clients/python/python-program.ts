// The program around the client in Python, as a process of Debian's own Python with Debian's packages.
// needs: python3, python3-httpx
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const run = promisify(execFile);
export const clientFolder = join(import.meta.dirname, '../../../clients/python');
export const tasksFile = join(import.meta.dirname, 'check_tasks.py');
export const python = '/usr/bin/python3';
export const environment = { PATH: '/usr/bin:/bin', PYTHONPATH: clientFolder, PYTHONDONTWRITEBYTECODE: '1' };

/** Carries out the tasks at an address. */
export function pythonClient(kind: 'sync' | 'async'): (origin: string) => Promise<void> {
  return async (origin) => {
    await run(python, [tasksFile, kind, origin], { env: environment });
  };
}
