// `tidegate ha agent`: one host of a cluster, as a service.
import { resolve } from 'node:path';
import { deviceOf } from '../../../ha/host/begin.ts';
import { memberOf, runHost } from '../../../ha/host/run-host.ts';
import type { RedisProbe } from '../../../ha/redis-probe.ts';
import { type Config, readConfig } from '../../../platform/config.ts';
import { toleratesBrokenConnects } from '../../../platform/database/connector-rejections.ts';
import { createLogger, type Logger } from '../../../platform/log.ts';
import { configOption, logLevelOption } from '../../cli/start-options.ts';
import { localVerb, type Surroundings } from '../../cli/verb.ts';
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
    let redis: RedisProbe | undefined;
    try {
      const config = await settingsOf(options, env);
      const log = createLogger({
        level: config['log.level'],
        pretty: config['log.format'] === 'pretty' || (config['log.format'] === 'auto' && stdout.isTTY === true),
        name: file.me,
      });
      toleratesBrokenConnects(process);
      const device = config['ha.device'] ?? deviceOf(memberOf(file).address);
      redis = await redisOf(config, log);
      await runHost({
        ...{ dataPath: resolve(options.data ?? '.tidegate'), dataVersion, log, signal },
        device: config['ha.address'] === 'none' ? undefined : device,
        ...{ processFile: config['ha.processFile'], redis },
        keyPlaces: { folder: config['keys.folder'], sealingFile: config['keys.sealingFile'] },
        copyBytesPerSecond: config['ha.copyMibPerSecond'] * mebi,
      });
    } catch (error) {
      throw refusalOf(error);
    } finally {
      redis?.close();
    }
  },
});

/** Loaded only where there is one: a restarted agent has to be quick. */
async function redisOf(config: Config, log: Logger): Promise<RedisProbe | undefined> {
  // What Sentinels watch is no host's own.
  if (config['redis.path'] === undefined && config['redis.host'] === undefined) return undefined;
  const { redisLocation } = await import('../../compose/connections.ts');
  const { RedisProbe } = await import('../../../ha/redis-probe.ts');
  return new RedisProbe(redisLocation(config), log);
}

/** Only given settings need the whole system, which takes as long to load as a lease lasts: a restarted agent has to be quicker. */
async function settingsOf(
  options: { readonly config: string | undefined; readonly 'log-level': string | undefined },
  env: Surroundings['env'],
): Promise<Config> {
  const { config: file, 'log-level': level } = options;
  const flags = level === undefined ? {} : { 'log.level': level };
  if (file === undefined && !Object.keys(env).some((name) => name.startsWith('TIDEGATE_')))
    return readConfig({ flags }, []);
  const { settings } = await import('../../cli/local-options.ts');
  return settings(file, env, flags);
}
