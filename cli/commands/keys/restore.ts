// `tidegate keys restore FILE`: the key files that `backup create --keys-to` wrote.
import { restoreKeys } from '../../../backup/key-archive.ts';
import { neededText } from '../../option.ts';
import { readSecretFile } from '../../remote-verb.ts';
import { localVerb } from '../../verb.ts';
import { asCommand } from '../backup/faults.ts';

export const restore = localVerb({
  summary: 'Restore the key files of "backup create --keys-to" into an empty folder.',
  page: 'docs/restore.md',
  takes: ['FILE'],
  options: {
    to: neededText('FOLDER', 'Folder to make: missing or empty.'),
    'keys-passphrase-file': neededText('FILE', 'File with the passphrase of the key files.'),
  },
  async run({ names: [path], options, stdout, signal }) {
    const passphrase = await readSecretFile(options['keys-passphrase-file']);
    const names = await asCommand(signal, () => restoreKeys(path, passphrase, options.to));
    stdout.write(names.map((name) => `${name}\n`).join(''));
  },
});
