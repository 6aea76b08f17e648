// Data hosts that lack a key, according to their agents. A key rotation waits for each of them.
import { Cluster } from '../ha/cluster.ts';
import { etcdOf } from '../ha/host/cluster-client.ts';
import { isComplete, isPresent } from '../ha/host/host-file.ts';
import type { NewKey } from '../platform/keys/rotate-keys.ts';
import type { Config } from '../platform/process/config.ts';
import { clusterFileIn } from './ha-settings.ts';

/** Undefined if the database has no hosts of its own. Throws when they can't be asked. */
export function hostsLacking(config: Config): ((key: NewKey) => Promise<readonly string[]>) | undefined {
  const folder = config['ha.dataFolder'];
  if (folder === undefined) return undefined;
  return async (key) => {
    const file = await clusterFileIn(folder);
    if (!isComplete(file)) return [];
    const etcd = etcdOf(file);
    try {
      const hosts = file.members.filter(isPresent);
      return await new Cluster(etcd, file.cluster, hosts).hostsLacking(key);
    } catch (error) {
      throw new Error(`the hosts of ${folder} can't be asked for their keys: ${String(error)}`, { cause: error });
    } finally {
      etcd.close();
    }
  };
}
