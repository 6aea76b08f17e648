// `tidegate keys create`, `list` and `rotate`: a key file, of which only the ids are ever printed.
import { openKeyring, openOrMakeKeyring, rotateKeyring } from '../../../platform/secrets/keyring.ts';
import { CommandFailure } from '../../cli/failures.ts';
import { localVerb } from '../../cli/verb.ts';

/** What is wrong with a file is for the person who named it. */
export async function withFile<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw new CommandFailure(error instanceof Error ? error.message : String(error));
  }
}

const takes = ['FILE'] as const;

export const create = localVerb({
  summary: 'Create a key file; an existing one is left as it is.',
  takes,
  options: {},
  async run({ names, stdout }) {
    const ids = await withFile(async () => (await openOrMakeKeyring(names[0])).ids());
    stdout.write(`${ids.join('\n')}\n`);
  },
});

export const list = localVerb({
  summary: 'List the ids of the keys in a file, the active one first.',
  takes,
  options: {},
  async run({ names, stdout }) {
    const ids = await withFile(async () => (await openKeyring(names[0])).ids());
    stdout.write(`${ids.join('\n')}\n`);
  },
});

export const rotate = localVerb({
  summary: 'Add a key to a file, and make it the active one.',
  takes,
  options: {},
  async run({ names, stdout, stderr }) {
    stdout.write(`${await withFile(() => rotateKeyring(names[0]))}\n`);
    stderr.write('tidegate: copy the file to every process that uses it, then restart each in turn\n');
  },
});
