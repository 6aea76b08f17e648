// Mutual TLS between gateways and subgraphs on different hosts: as machines, with credentials for each role, or with certificates
// of an operator's own authority.

import { ConfigError, unusableFile } from '../platform/errors/config-error.ts';
import type { Logger } from '../platform/log/log.ts';
import { type MutualTls, TlsFiles } from '../platform/machines/tls.ts';
import type { Config } from '../platform/process/config.ts';
import type { Lifecycle } from '../platform/process/lifecycle.ts';

/** A role's certificate for its peers. Undefined if only loopback is served. */
export type TlsOfRole = (role: string) => Promise<MutualTls | undefined>;

/** Throws ConfigError for unusable files. */
export async function internalTls(config: Config, log: Logger, lifecycle: Lifecycle): Promise<TlsOfRole> {
  const folder = config['internal.machineFolder'];
  if (folder !== undefined) return machinesOf(folder, config['internal.machineUrls'], log, lifecycle);
  const names = ['internal.tls.certFile', 'internal.tls.keyFile', 'internal.tls.caFile'] as const;
  const [cert, key, ca] = names.map((name) => config[name]);
  if (cert === undefined || key === undefined || ca === undefined) return async () => undefined;
  const files = await TlsFiles.open({ cert, key, ca }, log).catch(asFault(names, cert));
  await lifecycle.add('certificate files', files);
  return async () => files;
}

function machinesOf(folder: string, urls: readonly string[], log: Logger, lifecycle: Lifecycle): TlsOfRole {
  const opened = new Map<string, Promise<MutualTls>>();
  const open = async (role: string): Promise<MutualTls> => {
    const { JoinedMachine } = await import('../platform/machines/joined-machine.ts');
    const machine = await JoinedMachine.open({ folder, role, urls, log }).catch(
      asFault(['internal.machineFolder'], folder),
    );
    await lifecycle.add(`machine ${role}`, machine);
    return machine;
  };
  return (role) => {
    const machine = opened.get(role) ?? open(role);
    opened.set(role, machine);
    return machine;
  };
}

function asFault(settings: readonly string[], path: string): (error: unknown) => never {
  return (error) => {
    throw new ConfigError([unusableFile(settings, path, error)]);
  };
}
