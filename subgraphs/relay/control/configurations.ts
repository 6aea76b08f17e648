// The settings of backends for their history. Credentials are never part of it.
import type { ConfigurationReaders } from '../../../platform/edge/configuration-versions.ts';
import { isProtected } from '../../../platform/edge/deletion-protection.ts';
import { encodeId } from '../../../platform/values/ids.ts';
import { labelsInside, readBackend } from './backends/backend-store.ts';
import { optionsOf } from './backends/endpoint.ts';

export const configurations: ConfigurationReaders = {
  async Backend(sql, id) {
    const row = await readBackend(sql, id);
    if (row === undefined) return [];
    const { projectId, name, settingsVersion: version, provisioningStatus, driver, site, host, port } = row;
    const { concurrency, queueLimit, deadlineMs, cryptoProfile, allowInit, separateObjects } = row;
    const { hostKeySha256, certificateSha256, caCertificates } = row;
    const settings = {
      ...{ projectId: encodeId('Project', projectId), name, driver, site, host, port, cryptoProfile, allowInit },
      ...{ separateObjects, hostKeySha256, certificateSha256, caCertificates, options: optionsOf(row) },
      enabled: provisioningStatus === 'ENABLED',
      labels: (await labelsInside(sql, id)).map((label) => ({ ...label })),
      limits: { concurrency, queueLimit, deadlineMs },
      deletionProtected: await isProtected(sql, 'Backend', id),
    };
    const present = provisioningStatus === 'DELETED' ? null : settings;
    return [{ subject: 'Backend', id, projectId, name, version, settings: present }];
  },
};
