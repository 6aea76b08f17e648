// `tidegate keys create` and `list`. Only the ids of keys are ever printed.
import { makeAuthority } from '../../../platform/machines/authority.ts';
import { makeKeys, shownKeyIds } from '../../../platform/secrets/make-keys.ts';
import { CommandFailure } from '../../failures.ts';
import { localVerb, type Output } from '../../verb.ts';

/** Turns faults of a file into messages for the person who named it. */
export async function withFile<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw new CommandFailure(error instanceof Error ? error.message : String(error));
  }
}

export const create = localVerb({
  summary: 'Create the missing key files of all roles in a folder.',
  takes: ['FOLDER'] as const,
  options: {},
  async run({ names, stdout, stderr }) {
    const ids = await withFile(() => makeKeys(names[0]));
    stdout.write([...ids].map(([name, known]) => `${name}.keys ${known.join(' ')}\n`).join(''));
    await authorityIn(names[0], stderr);
    stderr.write('tidegate: copy to each host only the files of its roles; docs/operating.md lists them\n');
  },
});

/** Without openssl, only the authority for machines on other hosts is missing. */
async function authorityIn(folder: string, stderr: Output): Promise<void> {
  try {
    await makeAuthority(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw new CommandFailure(String(error));
    stderr.write(
      'tidegate: authority.pem was not created, because the program openssl is not installed: install it and run this again, so that machines can join\n',
    );
  }
}

export const list = localVerb({
  summary: 'List the ids of the keys in a file, the active one first.',
  takes: ['FILE'] as const,
  options: {},
  async run({ names, stdout }) {
    stdout.write(`${(await withFile(() => shownKeyIds(names[0]))).join('\n')}\n`);
  },
});
