// `tidegate backup key FILE`: makes the key pair of backups. The private key is needed only to verify and to restore.
import { writeFile } from 'node:fs/promises';
import { newIdentity } from '../../../backup/age-file.ts';
import { CommandFailure } from '../../failures.ts';
import { localVerb } from '../../verb.ts';

export const key = localVerb({
  summary: 'Make the key pair of backups: the private key into a new file, the public one to the output.',
  about: ['Keep the file away from the backups and from the hosts that make them. Programs of age read it, too.'],
  page: 'docs/restore.md',
  takes: ['FILE'],
  options: {},
  async run({ names: [path], stdout }) {
    const { identity, recipient } = await newIdentity();
    try {
      await writeFile(path, `# public key: ${recipient}\n${identity}\n`, { flag: 'wx', mode: 0o600, flush: true });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new CommandFailure(
        `${path} can't be written (${code ?? String(error)}): give a file that does not exist yet`,
      );
    }
    stdout.write(`${recipient}\n`);
  },
});
