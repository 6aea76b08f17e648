// `tidegate lab add PART`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { PartName } from '../../../lab/part.ts';
import { CommandFailure } from '../../cli/failures.ts';
import { askLab, labDataOption, printParts } from '../../cli/lab-client.ts';
import { readPart } from '../../cli/lab-names.ts';
import { flag } from '../../cli/option.ts';
import { commonOptions } from '../../cli/remote-verb.ts';
import { localVerb } from '../../cli/verb.ts';

export const add = localVerb({
  summary:
    'Start parts of the lab now and at each start, and register those that are devices as the backends lab-PART.',
  takes: ['PART...'],
  options: {
    'no-install': flag('Install no system packages.'),
    data: labDataOption,
    json: commonOptions.json,
  },
  async run({ options, names, ...around }) {
    const added = names[0].map(readPart);
    // Nothing is installed for a lab that does not run.
    let parts = await askLab(options.data, { do: 'list' }, around.signal);
    for (const part of added) {
      if (!options['no-install']) await installPackages(part, around.signal);
      parts = await askLab(options.data, { do: 'add', part }, around.signal);
    }
    await printParts(
      parts.filter((each) => added.includes(each.part)),
      around,
      options.json,
    );
  },
});

const installer = join(import.meta.dirname, '..', '..', 'boot', 'part-packages.mjs');

/** What it can't install it tells, and the part then says what it misses. */
async function installPackages(part: PartName, signal: AbortSignal): Promise<void> {
  const child = spawn(process.execPath, [installer, part], { stdio: ['inherit', process.stderr, 'inherit'] });
  const end = () => child.kill('SIGTERM');
  signal.addEventListener('abort', end, { once: true });
  await once(child, 'exit');
  signal.removeEventListener('abort', end);
  if (signal.aborted) throw new CommandFailure('interrupted');
}
