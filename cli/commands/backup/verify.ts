// `tidegate backup verify FOLDER`: proves that a backup can be restored, and marks it as proved.
import { verifyBackup } from '../../../backup/verify.ts';
import { printerOf } from '../../printer.ts';
import { commonOptions } from '../../remote-verb.ts';
import { localVerb } from '../../verb.ts';
import { ageOf, allOwners, asCommand, backupKeys, openingOptions } from './faults.ts';

export const verify = localVerb({
  summary: 'Prove that a backup can be restored: rebuild it in a temporary folder, check it, and mark it.',
  about: ['FOLDER is one backup, or the folder of all: then the newest is verified.'],
  page: 'docs/restore.md',
  goesLast: true,
  takes: ['FOLDER'],
  examples: ['tidegate backup verify /backup/tidegate --keys-folder /etc/tidegate/keys --identity /root/backup.key'],
  options: { ...openingOptions, json: commonOptions.json },
  async run({ names: [path], options, stdout, env, output, signal }) {
    const verified = await asCommand(signal, async () => {
      const given = await backupKeys(options['keys-folder'], options.identity);
      return verifyBackup({ path, given, owners: allOwners(), signal });
    });
    const printer = printerOf({ stdout, env, output });
    const { folder, manifest, tables, pieces, newestWriteAt, pending } = verified;
    if (options.json)
      return printer.json({ folder, version: manifest.product.version, tables, pieces, newestWriteAt, pending });
    await printer.line(`${folder} is whole: ${tables} tables, ${pieces} files of the log`);
    return printer.line(`newest write: ${ageOf(newestWriteAt)}`);
  },
});
