// `tidegate ha agent`: one host of a cluster, as a service.
import { resolve } from 'node:path';
import { deviceOf } from '../../../ha/host/begin.ts';
import { memberOf, runHost } from '../../../ha/host/run-host.ts';
import { toleratesBrokenConnects } from '../../../platform/database/connector-rejections.ts';
import { createLogger } from '../../../platform/log.ts';
import { configOption, logLevelOption, settings } from '../../cli/local-options.ts';
import { localVerb } from '../../cli/verb.ts';
import { dataVersion } from '../../compose/places.ts';
import { dataOption, hostFileIn } from './cluster-verb.ts';
import { refusalOf, refuseWithoutRoot } from './init.ts';

const mebi = 1024 * 1024;

export const agent = localVerb({
  summary: 'Keep this host of a cluster: its database, its vote, and the virtual address.',
  takes: [],
  options: { data: dataOption, config: configOption, 'log-level': logLevelOption },
  async run({ options, stdout, signal, env }) {
    refuseWithoutRoot();
    const file = await hostFileIn(options.data);
    try {
      const level = options['log-level'];
      const config = settings(options.config, env, level === undefined ? {} : { 'log.level': level });
      const log = createLogger({
        level: config['log.level'],
        pretty: config['log.format'] === 'pretty' || (config['log.format'] === 'auto' && stdout.isTTY === true),
        name: file.me,
      });
      toleratesBrokenConnects(process);
      const device = config['ha.device'] ?? deviceOf(memberOf(file).address);
      await runHost({
        ...{ dataPath: resolve(options.data ?? '.tidegate'), dataVersion, log, signal },
        device: config['ha.address'] === 'none' ? undefined : device,
        copyBytesPerSecond: config['ha.copyMibPerSecond'] * mebi,
      });
    } catch (error) {
      throw refusalOf(error);
    }
  },
});
