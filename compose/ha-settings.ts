// The settings that a host's process gets from its cluster: its database's location, and its name there.
import type { DnsSettings } from '../dns/publish/settings.ts';
import { readHostFile } from '../ha/host/host-file.ts';
import {
  hasServedFile,
  nameServerKeyPath,
  readServedFile,
  type ServedFile,
  servedAuthorityPath,
  servedFilePath,
} from '../ha/host/served-file.ts';
import { ConfigError, unusableFile } from '../platform/errors/config-error.ts';
import type { Config } from '../platform/process/config.ts';
import { hostsIn } from './ha-hosts.ts';

/** `folder`: from `ha.dataFolder`. Older agents have no file for `tidegate serve`, only their own, which root can read. */
export async function clusterFileIn(folder: string): Promise<ServedFile> {
  return (await hasServedFile(folder)) ? readServedFile(folder) : readHostFile(folder);
}

/** Given settings take precedence. Throws ConfigError. */
export function withClusterSettings(config: Config): Config {
  const folder = config['ha.dataFolder'];
  if (folder === undefined || config['database.host'] !== undefined || config['database.socketPath'] !== undefined)
    return config;
  let file: ReturnType<typeof readServedFile>;
  try {
    file = readServedFile(folder);
  } catch (error) {
    const fault = unusableFile(['ha.dataFolder'], servedFilePath(folder), error);
    const advice =
      'start "tidegate ha agent" on this host, which writes this file once all hosts of the cluster have joined';
    throw new ConfigError([{ ...fault, advice }]);
  }
  return {
    ...config,
    ...nameServerSettings(config, folder, file),
    'database.host': hostsIn(file),
    'database.caFile': config['database.caFile'] ?? servedAuthorityPath(folder),
    'ha.host': config['ha.host'] ?? file.me,
    'ha.strict': config['ha.strict'] || file.strict,
  };
}

/** Servers that a person has listed take precedence. */
function nameServerSettings(
  config: Config,
  folder: string,
  { nameServerPort: port }: ServedFile,
): Partial<DnsSettings> {
  const given = config as Partial<DnsSettings>;
  if (port === undefined || (given['dns.servers'] ?? []).length > 0 || given['dns.hostsPort'] !== undefined) return {};
  return { 'dns.hostsPort': port, 'dns.tsigKeyFile': given['dns.tsigKeyFile'] ?? nameServerKeyPath(folder) };
}
