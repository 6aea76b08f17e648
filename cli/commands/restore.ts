// `tidegate restore FOLDER --to NEW`: a data folder for MariaDB, as the database was at a moment.
import { resolve } from 'node:path';
import { restoreBackup } from '../../backup/restore.ts';
import { targetAt } from '../../backup/target-at.ts';
import { neededText, time } from '../option.ts';
import { printerOf } from '../printer.ts';
import { commonOptions } from '../remote-verb.ts';
import { localVerb } from '../verb.ts';
import { ageOf, allOwners, asCommand, backupKeys, objectStoreLine, openingOptions } from './backup/faults.ts';

export const restore = localVerb({
  summary: 'Restore a backup into an empty data folder for MariaDB.',
  about: [
    'FOLDER is one backup, or the folder or s3://BUCKET/PREFIX of all: then the newest is taken that is older than --at.',
    objectStoreLine,
    'The restored database begins a lossy timeline: calls that may repeat lost ones are refused until a person lifts it.',
  ],
  page: 'docs/restore.md',
  takes: ['FOLDER'],
  examples: [
    'tidegate restore /backup/tidegate --to /var/lib/mysql-restored --keys-folder /etc/tidegate/keys --identity /root/backup.key',
  ],
  options: {
    to: neededText('NEW', 'Data folder to make: missing or empty.'),
    at: time('Leave out everything that was committed from this second on. Default: nothing.'),
    ...openingOptions,
    json: commonOptions.json,
  },
  async run({ names: [path], options, stdout, env, output, signal }) {
    const restored = await asCommand(signal, async () =>
      restoreBackup({
        ...{
          from: await targetAt(path, env),
          to: options.to,
          at: options.at === undefined ? undefined : new Date(options.at),
        },
        ...{ given: await backupKeys(options['keys-folder'], options.identity), owners: allOwners(), signal },
      }),
    );
    const printer = printerOf({ stdout, env, output });
    const { place, manifest, newestWriteAt, pending } = restored;
    const folder = place.shown;
    const to = resolve(options.to);
    if (options.json) return printer.json({ folder, to, version: manifest.product.version, newestWriteAt, pending });
    const lines = [
      `${to} is the database of ${folder}`,
      `newest write: ${ageOf(newestWriteAt)}`,
      'what to do next (docs/restore.md):',
      `  start MariaDB ${manifest.server.version} with datadir = ${to}; its accounts and passwords are those of the backup`,
      ...(pending.length === 0
        ? []
        : [`  run "tidegate migrate": it lacks ${pending.length} migrations of this version`]),
      '  start the processes with settings that name this server and with the same key files',
      '  for each backend: run "tidegate mappings verify --backend NAME --unmapped", repair what differs, then "tidegate timeline lift NAME"',
    ];
    for (const line of lines) await printer.line(line);
    return undefined;
  },
});
