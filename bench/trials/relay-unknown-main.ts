// `npm run trials -- relay-unknown`: the proof of UNKNOWN, as one JSON line. Options: `--seed`, `--parts drops,kills,stops`,
// `--wires ssh,https`, `--drops` (1,000 of each kind on each wire), `--kills` (200), `--stops` (50), `--folder DIR`.
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import { numberOption } from './options.ts';
import { seededRandom } from './random.ts';
import { planStops } from './relay-unknown/stops.ts';
import { parts, runRelayUnknown, wires } from './relay-unknown.ts';

const mostFindings = 20;
const lanes = { drops: 8, kills: 6, stops: 8 };

export const trialRelayUnknown: Bench = async ({ options, progress, signal }) => {
  const seed = numberOption(options, 'seed') ?? Math.floor(Math.random() * 2 ** 31);
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'tidegate-unknown-')));
  // Passable for the user that the embedded servers run as.
  if (options.folder === undefined) await chmod(folder, 0o711);
  progress(`seed ${seed}; folder ${folder}`);
  try {
    const { findings, ...figures } = await runRelayUnknown({
      ...{ seed, folder, lanes, progress, signal },
      parts: chosen(options, 'parts', parts),
      wires: chosen(options, 'wires', wires),
      drops: numberOption(options, 'drops') ?? 1_000,
      kills: numberOption(options, 'kills') ?? 200,
      stops: planStops(numberOption(options, 'stops') ?? 50, seededRandom(seed)),
    });
    return { ...figures, findings: findings.slice(0, mostFindings) };
  } finally {
    if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
  }
};

/** Some of the names, separated by commas; all when it was not given. */
function chosen<Name extends string>(
  options: Readonly<Record<string, string>>,
  option: string,
  names: readonly Name[],
): Name[] {
  const text = options[option];
  if (text === undefined) return [...names];
  const given = text.split(',');
  const wrong = given.find((name) => !names.some((each) => each === name));
  if (wrong !== undefined) throw new Error(`--${option}: '${wrong}' is none of ${names.join(', ')}`);
  return names.filter((name) => given.includes(name));
}
