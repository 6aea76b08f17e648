// `tidegate up` (npm start): every role in this process, on a private MariaDB and Redis in one data folder, with the lab.
import { resolve } from 'node:path';
import { printableConfig } from '../../platform/config.ts';
import { allInOneConfig, startAllInOne } from '../compose/all-in-one.ts';
import { Arguments, type Command, type CommandContext, exitCodes } from './command.ts';
import { describeFailure } from './start-failure.ts';

const options = {
  port: { value: 'PORT', help: 'Port of the endpoint (4000).' },
  host: { value: 'ADDRESS', help: 'Address of the endpoint (127.0.0.1).' },
  data: { value: 'DIR', help: 'Data folder (.tidegate).' },
  config: { value: 'FILE', help: 'Settings in YAML or JSON.' },
  'no-lab': { help: 'Without the lab (a firewall in network namespaces; needs root).' },
  'no-install': { help: 'Install nothing; say what is missing.' },
  'log-level': { value: 'LEVEL', help: 'trace, debug, info (default), warn, error or silent.' },
  'print-config': { help: 'Print the settings, secrets hidden, and end.' },
} as const;

/** How often it is looked whether npm, which started us, is still there. */
const parentCheckMs = 500;

export const up: Command = {
  name: 'up',
  usage: 'up [--port PORT] [--host ADDRESS] [--data DIR] [--no-lab] [--log-level LEVEL]\nup --print-config',
  options,
  async run(context) {
    const args = new Arguments(up, context.args);
    const dataPath = resolve(args.text('data') ?? '.tidegate');
    const flags: Record<string, string> = {};
    for (const [option, setting] of [
      ['port', 'listen.port'],
      ['host', 'listen.host'],
      ['log-level', 'log.level'],
    ] as const) {
      const value = args.text(option);
      if (value !== undefined) flags[setting] = value;
    }
    const file = args.text('config');
    try {
      const config = allInOneConfig({ flags, env: context.env, ...(file === undefined ? {} : { file }) });
      if (args.flag('print-config')) {
        context.stdout.write(`data: ${JSON.stringify(dataPath)}\n${printableConfig(config)}`);
        return exitCodes.ok;
      }
      return await runUntilStopped(context, dataPath, config, !args.flag('no-lab'));
    } catch (error) {
      if (context.signal.aborted) return exitCodes.ok;
      throw describeFailure(error);
    }
  },
};

async function runUntilStopped(
  context: CommandContext,
  dataPath: string,
  config: ReturnType<typeof allInOneConfig>,
  withLab: boolean,
): Promise<number> {
  const orphaned = watchParent(context.env);
  const signal = AbortSignal.any([context.signal, orphaned.signal]);
  try {
    const running = await startAllInOne({ config, dataPath, withLab, signal, stdout: context.stdout });
    context.stdout.write(running.summary);
    if (!signal.aborted)
      await new Promise<void>((done) => signal.addEventListener('abort', () => done(), { once: true }));
    context.stdout.write(
      'Stopping: requests, subscriptions, calls, jobs, then the databases. Ctrl-C again ends at once.\n',
    );
    await running.stop();
    context.stdout.write('Stopped.\n');
    return exitCodes.ok;
  } finally {
    orphaned.stop();
  }
}

/** A killed npm leaves us behind without a signal: then we stop as if it had passed one on. */
function watchParent(env: CommandContext['env']): { signal: AbortSignal; stop: () => void } {
  const gone = new AbortController();
  if (env.npm_lifecycle_event === undefined) return { signal: gone.signal, stop: () => undefined };
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid !== parent) gone.abort();
  }, parentCheckMs);
  timer.unref();
  return { signal: gone.signal, stop: () => clearInterval(timer) };
}
