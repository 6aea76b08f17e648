// `tidegate clusters measure`: runs on the host of a cluster's server.

import { databaseLocations } from '../../../compose/connections.ts';
import { Database } from '../../../platform/database/database.ts';
import { type Config, settingsOf } from '../../../platform/process/config.ts';
import { clusterSettings } from '../../../subgraphs/object-storage/agents/cluster-settings.ts';
import { measureDisk } from '../../../subgraphs/object-storage/engine/blobs/measure.ts';
import { Counters } from '../../../subgraphs/object-storage/engine/store/counters.ts';
import { MeasuredDiskStore } from '../../../subgraphs/object-storage/engine/store/measured-disk-store.ts';
import { configOption, settings } from '../../local-options.ts';
import { printerOf } from '../../printer.ts';
import { commonOptions } from '../../remote-verb.ts';
import { describeFailure } from '../../start-failure.ts';
import { localVerb } from '../../verb.ts';

export const measure = localVerb({
  summary: 'Measure the disk of this cluster with files of 10 MB and 128 KB; its controller reports the result.',
  takes: [],
  options: { config: configOption, json: commonOptions.json },
  async run({ options, env, signal, ...call }) {
    try {
      const config = settings(options.config, env);
      const folder = folderOf(config);
      const db = new Database({ connection: databaseLocations(config), connectionLimit: 1 });
      try {
        const store = new MeasuredDiskStore(new Counters(db));
        const measured = await store.put(await measureDisk({ folder, signal }), Date.now());
        const printer = printerOf({ ...call, env });
        if (options.json) return await printer.json(measured);
        const rate = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB/s`;
        await printer.pairs([
          ['Folder', folder],
          ['Capacity', `${(measured.capacityBytes / 1e9).toFixed(1)} GB`],
          ['10 MB', `written at ${rate(measured.bigWrite)}, read at ${rate(measured.bigRead)}`],
          ['128 KB', `written at ${rate(measured.smallWrite)}, read at ${rate(measured.smallRead)}`],
        ]);
      } finally {
        await db.close();
      }
    } catch (error) {
      throw describeFailure(error);
    }
  },
});

/** Folder of the cluster's blobs. */
function folderOf(config: Config): string {
  return settingsOf({ settings: clusterSettings }, config)['objectStore.folder'];
}
