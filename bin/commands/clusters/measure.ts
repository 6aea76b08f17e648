// `tidegate clusters measure`: on the host of a cluster's server.
import { type Config, settingsOf } from '../../../platform/config.ts';
import { Database } from '../../../platform/database/database.ts';
import { measureDisk } from '../../../subgraphs/object-storage/blobs/measure.ts';
import { clusterSettings } from '../../../subgraphs/object-storage/cluster-settings.ts';
import { Counters } from '../../../subgraphs/object-storage/store/counters.ts';
import { MeasuredDiskStore } from '../../../subgraphs/object-storage/store/measured-disk-store.ts';
import { configOption, settings } from '../../cli/local-options.ts';
import { Printer } from '../../cli/printer.ts';
import { commonOptions } from '../../cli/remote-verb.ts';
import { describeFailure } from '../../cli/start-failure.ts';
import { localVerb } from '../../cli/verb.ts';
import { databaseLocations } from '../../compose/connections.ts';

export const measure = localVerb({
  summary: 'Measure the disk of this cluster with files of 10 MB and 128 KB; its controller tells the centre.',
  takes: [],
  options: { config: configOption, json: commonOptions.json },
  async run({ options, stdout, env, signal }) {
    try {
      const config = settings(options.config, env);
      const folder = folderOf(config);
      const db = new Database({ connection: databaseLocations(config), connectionLimit: 1 });
      try {
        const store = new MeasuredDiskStore(new Counters(db));
        const measured = await store.put(await measureDisk({ folder, signal }), Date.now());
        const printer = new Printer(stdout, env);
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

/** Of the cluster's blobs. */
function folderOf(config: Config): string {
  return settingsOf({ settings: clusterSettings }, config)['objectStore.folder'];
}
