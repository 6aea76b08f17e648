// Settings shared by the processes of one trial, written as JSON.
import { join } from 'node:path';
import { places } from './network.ts';

export interface TrialSettings {
  readonly folder: string;
  readonly cluster: string;
  readonly leaseMs: number;
  readonly applicationPassword: string;
  readonly replicationPassword: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export const mariadbPort = 3306;
export const copyPort = 3307;
/** For clients and for members. */
export const etcdPorts = [2379, 2380] as const;
export const members = (['a', 'b', 'w'] as const).map((name) => ({
  ...{ name, address: places[name], clientPort: etcdPorts[0], peerPort: etcdPorts[1] },
}));
export const etcdUrls = members.map(({ address, clientPort }) => `https://${address}:${clientPort}`);
export const database = 'tidegate';
export const account = 'tidegate';
/** Keepalived's folder inside the agent's folder. */
export const addressFolder = 'ha-address';

/** File in which the process that serves clients on that host records itself, if there is one. */
export function servedFile({ folder }: Pick<TrialSettings, 'folder'>, host: string): string {
  return join(folder, `served-${host}.json`);
}
