// `tidegate up` (npm start): runs all roles in this process, with a private MariaDB and Redis in one data folder, and the lab.
import { resolve } from 'node:path';
import { printableConfig } from '../../platform/config.ts';
import { configOption, logLevelOption } from '../cli/local-options.ts';
import { flag, text } from '../cli/option.ts';
import { describeFailure } from '../cli/start-failure.ts';
import { localVerb, type Surroundings } from '../cli/verb.ts';
import { allInOneConfig, startAllInOne } from '../compose/all-in-one.ts';

/** How often the process checks whether npm, which started it, still runs. */
const parentCheckMs = 500;

export const up = localVerb({
  summary: 'Start everything on this machine: databases, all roles, the lab.',
  takes: [],
  options: {
    port: text('PORT', 'Port of the endpoint (4000).'),
    host: text('ADDRESS', 'Address of the endpoint (127.0.0.1).'),
    data: text('DIR', 'Data folder (.tidegate).'),
    config: configOption,
    'no-lab': flag('Do not start the lab (a firewall in network namespaces, which needs root).'),
    'no-install': flag('Install nothing; print what is missing.'),
    'log-level': logLevelOption,
    'print-config': flag('Print the settings, with secrets hidden, and exit.'),
  },
  async run({ options, ...around }) {
    const dataPath = resolve(options.data ?? '.tidegate');
    const { port, host, config: file, 'log-level': level } = options;
    const flags = {
      ...(port === undefined ? {} : { 'listen.port': port }),
      ...(host === undefined ? {} : { 'listen.host': host }),
      ...(level === undefined ? {} : { 'log.level': level }),
    };
    try {
      const config = allInOneConfig({ flags, env: around.env, ...(file === undefined ? {} : { file }) });
      if (options['print-config']) {
        around.stdout.write(`data: ${JSON.stringify(dataPath)}\n${printableConfig(config)}`);
        return;
      }
      await runUntilStopped(around, dataPath, config, !options['no-lab']);
    } catch (error) {
      if (!around.signal.aborted) throw describeFailure(error);
    }
  },
});

async function runUntilStopped(
  context: Surroundings,
  dataPath: string,
  config: ReturnType<typeof allInOneConfig>,
  withLab: boolean,
): Promise<void> {
  const orphaned = watchParent(context.env);
  const signal = AbortSignal.any([context.signal, orphaned.signal]);
  try {
    const running = await startAllInOne({ config, dataPath, withLab, signal, stdout: context.stdout });
    context.stdout.write(running.summary);
    if (!signal.aborted)
      await new Promise<void>((done) => signal.addEventListener('abort', () => done(), { once: true }));
    context.stdout.write(
      'Stopping requests, subscriptions, calls and jobs, then the databases. Press Ctrl-C again to stop at once.\n',
    );
    await running.stop();
    context.stdout.write('Stopped.\n');
  } finally {
    orphaned.stop();
  }
}

/** A killed npm passes on no signal: the process then stops as after a signal. */
function watchParent(env: Surroundings['env']): { signal: AbortSignal; stop: () => void } {
  const gone = new AbortController();
  if (env.npm_lifecycle_event === undefined) return { signal: gone.signal, stop: () => undefined };
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid !== parent) gone.abort();
  }, parentCheckMs);
  timer.unref();
  return { signal: gone.signal, stop: () => clearInterval(timer) };
}
