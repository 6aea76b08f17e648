// The role system alone, started by a command that writes to the database directly. It needs the settings and the key folder of that role, opens no
// port, and runs beside a running installation.
import { startProcess } from '../compose/process.ts';
import { Refusal } from '../platform/errors/errors.ts';
import { createLogger } from '../platform/log/log.ts';
import type { FirstStart } from '../platform/process/subgraph-row.ts';
import { CommandFaults } from './failures.ts';
import { settings } from './local-options.ts';
import { describeFailure } from './start-failure.ts';
import type { Surroundings } from './verb.ts';

/** `file`: the path from `--config`. Throws CommandFailure if it can't start, and CommandFaults for a refusal. */
export async function withSystem<Result>(
  file: string | undefined,
  env: Surroundings['env'],
  use: (firstStart: FirstStart) => Promise<Result>,
): Promise<Result> {
  const config = readSettings(file, env);
  const log = createLogger({ level: 'silent', pretty: false, name: config.name });
  const running = await startProcess(config, log).catch((error: unknown) => {
    throw describeFailure(error);
  });
  try {
    if (running.access === undefined) throw new Error('the role system gives no access');
    return await use(running.access.firstStart);
  } catch (error) {
    if (error instanceof Refusal)
      throw new CommandFaults(error.errors.map(({ code, message }) => `${code}: ${message}`));
    throw error;
  } finally {
    await running.stop();
  }
}

/** Without the ports: a process with the same settings may run. */
function readSettings(file: string | undefined, env: Surroundings['env']) {
  try {
    const config = settings(file, env, { roles: 'system' });
    return {
      ...config,
      'internal.systemPort': undefined,
      'internal.machineFolder': undefined,
      'watch.port': undefined,
    };
  } catch (error) {
    throw describeFailure(error);
  }
}
