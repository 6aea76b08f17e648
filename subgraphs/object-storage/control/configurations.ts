// The settings of clusters and options for their history.
import type { ConfigurationReaders } from '../../../platform/edge/configuration-versions.ts';
import { isProtected } from '../../../platform/edge/deletion-protection.ts';
import { encodeId } from '../../../platform/values/ids.ts';
import { readClusters } from './stores/cluster-store.ts';
import { readOptions } from './stores/option-store.ts';

export const configurations: ConfigurationReaders = {
  async ObjectCluster(sql, id) {
    const row = (await readClusters(sql, [id])).get(id);
    if (row === undefined) return [];
    const { name, zone, weight, site, state: clusterState, peerUrls, controllerUrls, s3Urls } = row;
    const urls = { peerUrls: [...peerUrls], controllerUrls: [...controllerUrls], s3Urls: [...s3Urls] };
    const deletionProtected = await isProtected(sql, 'ObjectCluster', id);
    const settings = row.deleted ? null : { name, zone, weight, site, clusterState, ...urls, deletionProtected };
    return [{ subject: 'ObjectCluster', id, projectId: null, name, version: row.settingsVersion, settings }];
  },
  async ObjectOption(sql, id) {
    const row = (await readOptions(sql, [id])).get(id);
    if (row === undefined) return [];
    const { name, replicas, nearestReads, isDefault, clusterIds } = row;
    const clusters = clusterIds.map((each) => encodeId('ObjectCluster', each));
    const settings = row.deleted ? null : { name, replicas, nearestReads, default: isDefault, clusterIds: clusters };
    return [{ subject: 'ObjectOption', id, projectId: null, name, version: 0, settings }];
  },
};
