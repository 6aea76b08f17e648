// One neutron-server, with a folder for its settings and database. It has two workers besides the process that serves the API,
// which end with that process in any case.

import { join } from 'node:path';
import { ServerProcess } from '../../embedded/server-process.ts';
import type { RunningService, ServiceOptions } from './keystone-server.ts';
import { portFrom } from './port-line.ts';
import { PYTHON, pythonArgs, pythonEnvironment } from './python.ts';

const READY_TIMEOUT_MS = 60_000;

export async function startNeutronServer({ folder, prefix, log, signal }: ServiceOptions): Promise<RunningService> {
  const port = portFrom(log, /wsgi starting up on http:\/\/127\.0\.0\.1:(\d+)/);
  const neutron = new ServerProcess({
    name: 'neutron-server',
    command: PYTHON,
    args: pythonArgs(join(prefix, 'usr/bin/neutron-server'), '--config-file', join(folder, 'neutron.conf')),
    cwd: folder,
    runAs: undefined,
    log: port.log,
    env: pythonEnvironment(prefix),
    stopTimeoutMs: 10_000,
  });
  await neutron.waitUntilReady(port.known, READY_TIMEOUT_MS, signal);
  return { process: neutron, url: `http://127.0.0.1:${port.value()}` };
}
