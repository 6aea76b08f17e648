// `tidegate demo`: five acts with a running `npm start`, each on real parts. Each prints its steps, with their results and durations.
import { randomBytes } from 'node:crypto';
import type { DeviceName } from '../../lab/device.ts';
import type { Act, Place } from '../demo/act.ts';
import { callsAct } from '../demo/acts/calls.ts';
import { loadBalancerAct } from '../demo/acts/load-balancer.ts';
import { nameAct } from '../demo/acts/name.ts';
import { objectsAct } from '../demo/acts/objects.ts';
import { switchoverAct } from '../demo/acts/switchover.ts';
import { addPart, missingParts } from '../demo/lab-parts.ts';
import { messageOf, Stage } from '../demo/stage.ts';
import { CommandFailure, Interruption, UsageError } from '../failures.ts';
import { projectId } from '../find.ts';
import { flag, one, type Values } from '../option.ts';
import { commonOptions, connectionOptions, openClient, readToken } from '../remote-verb.ts';
import { localVerb } from '../verb.ts';

const acts: readonly Act[] = [callsAct, loadBalancerAct, nameAct, objectsAct, switchoverAct];
const all = acts.map(({ number }) => number).join(',');

const actsOption = one('ACTS', `Acts to play, separated by commas (${all}).`, (given, name) => {
  const numbers = given.split(',').map(Number);
  const chosen = numbers.map((number) => acts.find((act) => act.number === number));
  if (chosen.includes(undefined)) throw new UsageError(`${name} takes numbers of ${all}, not '${given}'`);
  return acts.filter((act) => chosen.includes(act));
});

export const demo = localVerb({
  summary: 'Play five acts on real parts with a running "npm start", and clean up after them.',
  takes: [],
  options: {
    acts: actsOption,
    'no-install': flag('Install no system packages.'),
    'keep-lab': flag('Leave the parts of the lab that it has added.'),
    project: commonOptions.project,
    json: commonOptions.json,
    ...connectionOptions,
  },
  async run({ options, stdout, stderr, env, signal }) {
    const stage = new Stage({ stdout, env, json: options.json, signal });
    const client = await openClient(options, { signal, env });
    const cleaner = await openClient(options, { signal: new AbortController().signal, env });
    const data = options.data ?? '.tidegate';
    const { project } = options;
    const place: Place = {
      project: project === undefined ? undefined : { name: project, id: (await projectId(client, project)) ?? project },
      ...{ stage, client, cleaner, data, apiToken: () => readToken(options, env) },
      connection: connectionOf(options),
      run: randomBytes(3).toString('hex'),
      told: options.json ? undefined : stderr,
      ...{ installs: !options['no-install'], keepsLab: options['keep-lab'] },
    };
    try {
      await play(place, options.acts ?? acts);
    } finally {
      await Promise.all([client.close(), cleaner.close()]);
    }
  },
});

async function play(place: Place, wanted: readonly Act[]): Promise<void> {
  const { stage, client, data, keepsLab } = place;
  const isRoot = process.getuid?.() === 0;
  const chosen = wanted.filter(({ needsRoot }) => isRoot || needsRoot === undefined);
  const parts = chosen.flatMap(({ part }) => (part === undefined ? [] : [part]));
  const missing = parts.length === 0 ? [] : await missingParts(data, parts, stage.signal);
  await stage.say(
    `This demo plays on real parts, at ${client.url.href}. The dashboard shows it as it happens: ${new URL('.', client.url).href}`,
  );
  if (missing.length > 0) {
    const end = keepsLab ? 'They stay because of --keep-lab.' : 'It removes added parts at the end.';
    await stage.say(
      `It first adds to the lab, before the act that needs it: ${missing.join(', ')}. A first time takes minutes. ${end}`,
    );
  }
  for (const { number, title, needsRoot } of wanted.filter((act) => !chosen.includes(act)))
    await stage.say(`Left out, because this is not root: act ${number}, ${title} (${needsRoot}).`);
  const failed: number[] = [];
  for (const act of chosen) {
    if (stage.signal.aborted) break;
    await playOne(place, act, missing).catch(() => failed.push(act.number));
  }
  stage.end();
  if (stage.left.length > 0) await stage.say('');
  for (const what of stage.left) await stage.say(`Left: ${what}.`);
  if (stage.signal.aborted) throw new Interruption('the demo cleans up');
  await stage.say('');
  await stage.say('Now yours:');
  for (const act of chosen.filter(({ number }) => !failed.includes(number))) {
    await stage.say(`${act.number}. ${act.title}`);
    for (const words of act.yours) await stage.command(words);
  }
  if (failed.length > 0) throw new CommandFailure(`not all went as it should: act ${failed.join(', act ')} failed`);
}

/** Cleans up before the next act. */
async function playOne(place: Place, act: Act, missing: readonly DeviceName[]): Promise<void> {
  const { stage } = place;
  await stage.begin(act.number, act.title);
  try {
    if (act.part !== undefined && missing.includes(act.part)) await addPart(place, act.part);
    await stage.say(`It takes ${act.takes}.`);
    await act.play(place);
  } catch (error) {
    if (!stage.signal.aborted) await stage.say(`The act ends here: ${messageOf(error)}`);
    throw error;
  } finally {
    await stage.undoAll();
  }
}

/** For commands that the demo runs. Secrets are always in a file. */
function connectionOf(options: Values<typeof connectionOptions>): readonly string[] {
  const names = Object.keys(connectionOptions) as (keyof typeof connectionOptions)[];
  return names.flatMap((name) => {
    const value = options[name];
    if (typeof value === 'string') return [`--${name}`, value];
    return value === true ? [`--${name}`] : [];
  });
}
