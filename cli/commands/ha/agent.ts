// `tidegate ha agent`: one host of a cluster, as a service.
import { resolve } from 'node:path';
import { dataVersion } from '../../../compose/places.ts';
import type { DnsName } from '../../../ha/address/dns-address.ts';
import { deviceOf } from '../../../ha/host/begin.ts';
import { agentSettingsPath } from '../../../ha/host/host-settings.ts';
import type { RedisProbe } from '../../../ha/redis-probe.ts';
import { toleratesBrokenConnects } from '../../../platform/database/connector-rejections.ts';
import { createLogger, type Logger } from '../../../platform/log/log.ts';
import { type Config, readConfig } from '../../../platform/process/config.ts';
import { fileExists } from '../../../platform/secrets/key-file.ts';
import { configOption, logLevelOption } from '../../start-options.ts';
import { localVerb, type Surroundings } from '../../verb.ts';
import { dataOption, hostFileIn } from './cluster-verb.ts';
import { refusalOf, refuseWithoutRoot } from './init.ts';

const mebi = 1024 * 1024;

export const agent = localVerb({
  summary: 'Keep this host of a cluster: its database, its vote, and the virtual address.',
  takes: [],
  endsBySignal: true,
  options: { data: dataOption, config: configOption, 'log-level': logLevelOption },
  async run({ options, stdout, signal, env }) {
    refuseWithoutRoot();
    const file = await hostFileIn(options.data);
    // Loaded separately from the other verbs of the noun.
    const { memberOf, runHost } = await import('../../../ha/run-host.ts');
    let redis: RedisProbe | undefined;
    try {
      const dataPath = resolve(options.data ?? '.tidegate');
      const config = await settingsOf(options, dataPath, env);
      const log = createLogger({
        level: config['log.level'],
        pretty: config['log.format'] === 'pretty' || (config['log.format'] === 'auto' && stdout.isTTY === true),
        name: file.me,
      });
      toleratesBrokenConnects(process);
      const device = config['ha.device'] ?? deviceOf(memberOf(file).address);
      redis = await redisOf(config, log);
      await runHost({
        ...{ dataPath, dataVersion, log, signal },
        device: config['ha.address'] === 'virtual' ? device : undefined,
        dnsName: await nameOf(config, memberOf(file).address),
        nameServer: nameServerIn(config),
        ...{ processFile: config['ha.processFile'], redis },
        watchdogDevice: await watchdogIn(config, log),
        roleHook: config['ha.roleHook'],
        rejoinsByHand: config['ha.rejoin'] === 'manual',
        ownRedisPath: config['ha.ownRedis'] ? config['redis.path'] : undefined,
        keyPlaces: { folder: config['keys.folder'], sealingFile: config['keys.sealingFile'] },
        copyBytesPerSecond: config['ha.copyMibPerSecond'] * mebi,
        longestLockMs: config['ha.longestLockSeconds'] * 1_000,
      });
    } catch (error) {
      throw refusalOf(error);
    } finally {
      redis?.close();
    }
  },
});

/** Loaded only if there is one, because a restarted agent has to be quick. */
async function nameOf(config: Config, own: string): Promise<DnsName | undefined> {
  if (config['ha.address'] !== 'dns') return undefined;
  const { dnsNameIn } = await import('../../../compose/ha-name.ts');
  return dnsNameIn(config, own);
}

function nameServerIn({ 'ha.nameServerPort': port, 'ha.nameServerZones': zones }: Config) {
  return port === undefined ? undefined : { port, zones };
}

/** The agent also runs without it. */
async function watchdogIn({ 'ha.watchdogDevice': device }: Config, log: Logger): Promise<string | undefined> {
  if (device !== undefined && !(await fileExists(device)))
    log.error(`ha.watchdogDevice: there is no ${device}: this machine is not reset if a server can't be ended in time`);
  return device;
}

/** Loaded only if there is one, because a restarted agent has to be quick. */
async function redisOf(config: Config, log: Logger): Promise<RedisProbe | undefined> {
  // A Redis under Sentinels belongs to no single host.
  if (config['redis.path'] === undefined && config['redis.host'] === undefined) return undefined;
  const { redisLocation } = await import('../../../compose/connections.ts');
  const { RedisProbe } = await import('../../../ha/redis-probe.ts');
  return new RedisProbe(redisLocation(config), log);
}

/** Loads the whole system only if settings are given. That takes as long as a lease lasts, and a restarted agent has to be quicker. */
async function settingsOf(
  options: { readonly config: string | undefined; readonly 'log-level': string | undefined },
  dataPath: string,
  env: Surroundings['env'],
): Promise<Config> {
  const { config: file, 'log-level': level } = options;
  const flags = level === undefined ? {} : { 'log.level': level };
  const own = agentSettingsPath(dataPath);
  const given = file ?? env.TIDEGATE_CONFIG ?? ((await fileExists(own)) ? own : undefined);
  const sources = { flags, env, ...(given === undefined ? {} : { file: given }) };
  const isPlain = given === undefined || given === own;
  if (isPlain && !Object.keys(env).some((name) => name.startsWith('TIDEGATE_'))) return readConfig(sources, []);
  const { subgraphRows } = await import('../../../subgraphs/rows.ts');
  return readConfig(sources, subgraphRows);
}
