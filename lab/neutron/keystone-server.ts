// One Keystone process, with a folder for its settings and database.

import { join } from 'node:path';
import { ServerProcess } from '../../embedded/server-process.ts';
import type { SetupLog } from '../../embedded/setup-log.ts';
import { portFrom } from './port-line.ts';
import { PYTHON, pythonArgs, pythonEnvironment } from './python.ts';

const READY_TIMEOUT_MS = 60_000;

export interface ServiceOptions {
  readonly folder: string;
  readonly prefix: string;
  readonly log: SetupLog;
  readonly signal?: AbortSignal;
}

export interface RunningService {
  readonly process: ServerProcess;
  /** Plain HTTP on the loopback, without a path. */
  readonly url: string;
}

export async function startKeystone({ folder, prefix, log, signal }: ServiceOptions): Promise<RunningService> {
  const port = portFrom(log, /listening on port (\d+)/);
  const keystone = new ServerProcess({
    name: 'keystone',
    command: PYTHON,
    args: pythonArgs(
      join(import.meta.dirname, 'serve_keystone.py'),
      join(folder, 'keystone.conf'),
      join(folder, 'keystone.sqlite'),
    ),
    cwd: folder,
    runAs: undefined,
    log: port.log,
    env: pythonEnvironment(prefix),
    stopTimeoutMs: 5_000,
  });
  await keystone.waitUntilReady(port.known, READY_TIMEOUT_MS, signal);
  return { process: keystone, url: `http://127.0.0.1:${port.value()}` };
}
