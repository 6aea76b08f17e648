// `tidegate serve` and `tidegate worker`: chosen roles against a database and Redis of one's own.
import { type Config, printableConfig, readConfig, rolesOf } from '../../platform/config.ts';
import { createLogger } from '../../platform/log.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { startProcess } from '../compose/process.ts';
import { Arguments, type Command, type CommandContext, exitCodes } from './command.ts';
import { describeFailure } from './start-failure.ts';

const options = {
  roles: { value: 'LIST', help: `${rolesOf(subgraphRows).all.join(', ')}; separated by commas (all).` },
  config: { value: 'FILE', help: 'Settings in YAML or JSON.' },
  set: { value: 'NAME=VALUE', help: 'A setting, for example listen.port=4000; may be repeated.', multiple: true },
  'log-level': { value: 'LEVEL', help: 'trace, debug, info (default), warn, error or silent.' },
  'print-config': { help: 'Print the settings, secrets hidden, and end.' },
} as const;

export const serve: Command = {
  name: 'serve',
  usage: 'serve --config FILE [--roles LIST] [--set NAME=VALUE …]\nserve --print-config …',
  options,
  run: (context) => runRoles(serve, context, {}),
};

const { roles: _none, ...workerOptions } = options;

export const worker: Command = {
  name: 'worker',
  usage: 'worker --config FILE [--set NAME=VALUE …]',
  options: workerOptions,
  run: (context) => runRoles(worker, context, { roles: 'worker' }),
};

async function runRoles(command: Command, context: CommandContext, fixed: Record<string, string>): Promise<number> {
  const args = new Arguments(command, context.args);
  const flags: Record<string, string> = {};
  for (const pair of args.texts('set')) {
    const equals = pair.indexOf('=');
    flags[pair.slice(0, Math.max(0, equals))] = pair.slice(equals + 1);
  }
  const roles = args.text('roles');
  if (roles !== undefined) flags.roles = roles;
  const level = args.text('log-level');
  if (level !== undefined) flags['log.level'] = level;
  const file = args.text('config');
  try {
    const config: Config = readConfig(
      { flags: { ...flags, ...fixed }, env: context.env, ...(file === undefined ? {} : { file }) },
      subgraphRows,
    );
    if (args.flag('print-config')) {
      context.stdout.write(printableConfig(config));
      return exitCodes.ok;
    }
    const log = createLogger({
      level: config['log.level'],
      pretty: config['log.format'] === 'pretty' || (config['log.format'] === 'auto' && context.stdout.isTTY === true),
      name: config.name,
    });
    const running = await startProcess(config, log);
    log.info({ roles: config.roles, owner: running.owner, url: running.url }, 'ready');
    if (!context.signal.aborted)
      await new Promise<void>((done) => context.signal.addEventListener('abort', () => done(), { once: true }));
    log.info('draining');
    await running.stop();
    return exitCodes.ok;
  } catch (error) {
    throw describeFailure(error);
  }
}
