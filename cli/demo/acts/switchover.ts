// Act 5: the database changes its host while a CMP writes. It starts hosts of its own, like `npm start -- --ha`, with a temporary data folder.
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { jsonIn } from '../../../platform/values/json.ts';
import { installPackages } from '../../device-packages.ts';
import { CommandFailure, Interruption } from '../../failures.ts';
import type { Act, Place } from '../act.ts';
import { commandLine, runCommand, startCommand } from '../commands.ts';

const readyLine = 'Ctrl-C stops everything.';
const readySeconds = 300;
const endMs = 60_000;
const wait = '60';

const summaryShape = z.object({
  before: z.object({ calls: z.number(), firstWriteMs: z.number() }),
  phases: z.object({ before: z.number(), during: z.number(), after: z.number(), commandMs: z.number() }),
  ...{ acknowledged: z.number(), failed: z.number(), lost: z.number(), repeated: z.number().nullable() },
  ...{ longestGapMs: z.number(), eventsMissed: z.number() },
});

export const switchoverAct: Act = {
  number: 5,
  title: 'a switchover of the database, while a CMP writes',
  part: undefined,
  needsRoot: 'its hosts are network namespaces with disks of their own',
  takes: 'two minutes',
  async play(place) {
    const { stage } = place;
    const data = await startHosts(place);
    const at = ['--data', data];
    const status = async () =>
      (await runCommand(['ha', 'status', '--wait', wait, ...at], { signal: stage.signal })).trim();
    await stage.step('bin/tidegate ha status', status, (printed) => `two copies\n${printed}`);
    const switchover = commandLine(['ha', 'switchover', '--wait', wait, ...at]);
    const load = ['lab', 'load', '--json', ...at, '--', ...switchover];
    await stage.command('bin/tidegate lab load -- bin/tidegate ha switchover');
    const seen = await stage.step(
      'four clients write and read; after their first writes the other host takes over',
      async () => summaryShape.parse(jsonIn(await runCommand(load, { signal: stage.signal, told: place.told }))),
      ({ acknowledged, failed, phases, longestGapMs }) => {
        const { before, during, after, commandMs } = phases;
        const parts = `${before} before, ${during} during its ${(commandMs / 1_000).toFixed(1)} s, ${after} after it`;
        return `${acknowledged} writes acknowledged (${parts}), ${failed} failed, at most ${(longestGapMs / 1_000).toFixed(1)} s without one`;
      },
    );
    await stage.step(
      'every acknowledged write is read back',
      async () => seen,
      ({ lost, repeated, eventsMissed }) =>
        `${lost} lost, ${repeated ?? 'unknown how many'} repeated at the firewall, ${eventsMissed} events missed`,
    );
    await stage.step('bin/tidegate ha status', status, (printed) => `two copies\n${printed}`);
    if (seen.lost > 0) throw new CommandFailure(`${seen.lost} acknowledged writes are lost`);
  },
  yours: [
    'npm start -- --ha',
    'bin/tidegate ha status',
    'bin/tidegate lab load -- bin/tidegate ha switchover',
    'bin/tidegate lab load -- bin/tidegate lab unplug b',
    'bin/tidegate lab plug b',
    'bin/tidegate ha history',
  ],
};

/** Returns their data folder. */
async function startHosts(place: Place): Promise<string> {
  const { stage, told, installs } = place;
  const beside = resolve(place.data);
  const folder = await mkdtemp(join(dirname(beside), `${basename(beside)}-demo-`));
  // The account that serves must be able to pass it.
  await chmod(folder, 0o711);
  stage.undo(`the hosts' folder ${folder}`, () => rm(folder, { recursive: true, force: true }));
  const data = join(folder, 'data');
  if (installs) for (const each of ['ha', 'ha-demo']) await installPackages(each, stage.signal);
  await stage.say(
    'Two data hosts and a witness start in addition to "npm start": network namespaces with disks, databases and processes of their own.',
  );
  const child = startCommand(['up', '--ha', '--data', data]);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (!output.includes('Tidegate is ready')) told?.write(text);
    });
  const ended = new Promise<void>((done) => {
    child.once('close', () => done());
    child.once('error', () => done());
  });
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  stage.undo('the hosts', async () => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), endMs);
    await ended;
    clearTimeout(timer);
  });
  await stage.step(
    'npm start -- --ha',
    () =>
      stage.until(
        'the hosts are ready',
        async () => {
          if (isOver) throw new CommandFailure(`the hosts ended: ${output.trim().split('\n').at(-1)}`);
          if (stage.signal.aborted) throw new Interruption();
          return output.includes(readyLine);
        },
        readySeconds,
      ),
    () => 'ready',
  );
  return data;
}
