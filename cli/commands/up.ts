// `tidegate up` (npm start): runs all roles in one process, with a private MariaDB and Redis in one data folder, and the lab. If root starts it, that
// process runs separately without privileges.
import { join, resolve } from 'node:path';
import { pathExists } from '../../embedded/find-program.ts';
import { UsageError } from '../failures.ts';
import { labOption } from '../lab-names.ts';
import { flag, text } from '../option.ts';
import { asRootOption, configOption, logLevelOption } from '../start-options.ts';
import { removeLeftOver } from '../up/remove-left-over.ts';
import { localVerb } from '../verb.ts';
import { watchParent } from '../watch-parent.ts';

export const up = localVerb({
  summary: 'Start everything on this machine: databases, all roles, the lab.',
  takes: [],
  endsBySignal: true,
  options: {
    port: text('PORT', 'Port of the endpoint (4000).'),
    host: text('ADDRESS', 'Address of the endpoint (127.0.0.1).'),
    data: text('DIR', 'Data folder (.tidegate).'),
    config: configOption,
    lab: labOption,
    ha: flag('Start two data hosts and a witness on this machine, to try high availability; needs root.'),
    'no-lab': flag('Do not start the lab (devices for trying the drivers).'),
    'no-install': flag('Install nothing; print what is missing.'),
    'as-root': asRootOption,
    'log-level': logLevelOption,
    'show-log': flag('Print the log, which is in logs/tidegate.log of the data folder, instead of its warnings alone.'),
    'print-config': flag('Print the settings, with secrets hidden, and exit.'),
  },
  async run({ options, ...around }) {
    const { port, host, config: file, 'log-level': level } = options;
    if (options.lab !== undefined && options['no-lab']) throw new UsageError('give only one of --lab and --no-lab');
    const strange = (['port', 'host', 'config', 'lab'] as const).find((name) => options[name] !== undefined);
    if (options.ha && strange !== undefined) throw new UsageError(`--ha does not take --${strange}`);
    if (options.ha && (options['no-lab'] || options['print-config']))
      throw new UsageError('--ha takes neither --no-lab nor --print-config');
    const dataPath = resolve(options.data ?? '.tidegate');
    const order = {
      dataPath,
      withLab: !options['no-lab'],
      labDevices: options.lab,
      port,
      host,
      file,
      level,
      showsLog: options['show-log'],
    };
    const orphaned = watchParent(around.env);
    const signal = AbortSignal.any([around.signal, orphaned.signal]);
    // Each loads only its needs: root runs as little code as possible.
    try {
      if (!options['print-config']) await removeLeftOver(around);
      // A host of a cluster has its own commands.
      if (!options.ha && !options['print-config'] && (await pathExists(join(dataPath, 'serve')))) {
        const { refuseClusterFolder } = await import('../up/cluster-folder.ts');
        await refuseClusterFolder(dataPath);
      }
      if (options.ha) {
        const { runDemo } = await import('../ha-demo/demo.ts');
        await runDemo({ ...around, ...order, asRoot: options['as-root'], signal });
      } else if (process.getuid?.() === 0 && !options['as-root'] && !options['print-config']) {
        const { startServiceProcess } = await import('../up/service-process.ts');
        await startServiceProcess({ ...around, ...order, signal });
      } else {
        const { runAllInOne } = await import('../up/run-all-in-one.ts');
        await runAllInOne({ ...around, ...order, signal, onlyPrints: options['print-config'] });
      }
    } finally {
      orphaned.stop();
    }
  },
});
