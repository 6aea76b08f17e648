// The settings that a process on a host of a cluster has from the cluster: where its database is, and what it is called there.
import { readHostFile } from '../../ha/host/host-file.ts';
import {
  dataHosts,
  hasServedFile,
  readServedFile,
  type ServedFile,
  servedAuthorityPath,
  servedFilePath,
} from '../../ha/host/served-file.ts';
import type { Config } from '../../platform/config.ts';
import { ConfigError, unusableFile } from '../../platform/config-error.ts';

/** `folder`: of `ha.dataFolder`. An agent from before there was the file for `tidegate serve` has only its own, which root reads. */
export async function clusterFileIn(folder: string): Promise<ServedFile> {
  return (await hasServedFile(folder)) ? readServedFile(folder) : readHostFile(folder);
}

/** Those that are given stay. Throws ConfigError. */
export function withClusterSettings(config: Config): Config {
  const folder = config['ha.dataFolder'];
  if (folder === undefined || config['database.host'] !== undefined || config['database.socketPath'] !== undefined)
    return config;
  let file: ReturnType<typeof readServedFile>;
  try {
    file = readServedFile(folder);
  } catch (error) {
    throw new ConfigError([unusableFile(['ha.dataFolder'], servedFilePath(folder), error)]);
  }
  return {
    ...config,
    'database.host': dataHosts(file).map(({ address }) => ({ host: address })),
    'database.caFile': config['database.caFile'] ?? servedAuthorityPath(folder),
    'ha.host': config['ha.host'] ?? file.me,
    'ha.strict': config['ha.strict'] || file.strict,
  };
}
