// `tidegate backup verify FOLDER`: proves that a backup can be restored, and marks it as proved.
import { targetAt } from '../../../backup/target-at.ts';
import { verifyBackup } from '../../../backup/verify.ts';
import { printerOf } from '../../printer.ts';
import { commonOptions } from '../../remote-verb.ts';
import { localVerb } from '../../verb.ts';
import { ageOf, allOwners, asCommand, backupKeys, objectStoreLine, openingOptions } from './faults.ts';
import { quietStartLine, startQuietly } from './quiet-start.ts';

export const verify = localVerb({
  summary: 'Prove that a backup can be restored: rebuild it in a temporary folder, check it, start on it, and mark it.',
  about: [
    'FOLDER is one backup, or the folder or s3://BUCKET/PREFIX of all: then the newest is verified.',
    objectStoreLine,
  ],
  page: 'docs/restore.md',
  goesLast: true,
  takes: ['FOLDER'],
  examples: ['tidegate backup verify /backup/tidegate --keys-folder /etc/tidegate/keys --identity /root/backup.key'],
  options: { ...openingOptions, json: commonOptions.json },
  async run({ names: [path], options, stdout, env, output, signal }) {
    const verified = await asCommand(signal, async () => {
      const keysFolder = options['keys-folder'];
      return verifyBackup({
        ...{
          from: await targetAt(path, env),
          given: await backupKeys(keysFolder, options.identity),
          owners: allOwners(),
          signal,
        },
        use: (copy, { pending }) => startQuietly({ copy, keysFolder, pending, signal }),
      });
    });
    const printer = printerOf({ stdout, env, output });
    const { place, manifest, tables, pieces, newestWriteAt, pending, used: quietStart } = verified;
    if (options.json)
      return printer.json({
        ...{
          folder: place.shown,
          version: manifest.product.version,
          tables,
          pieces,
          newestWriteAt,
          pending,
          quietStart,
        },
      });
    await printer.line(`${place.shown} is whole: ${tables} tables, ${pieces} files of the log`);
    await printer.line(quietStartLine(quietStart));
    return printer.line(`newest write: ${ageOf(newestWriteAt)}`);
  },
});
