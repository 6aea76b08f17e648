// `tidegate lab freeze | fill-disk | freeze-disk HOST`, `cut HOST HOST` and `skew HOST SECONDS`: faults that only hosts of `npm start -- --ha`
// support.

import type { LabRequest } from '../../../lab/control-plane/control.ts';
import { isHostName } from '../../../lab/device.ts';
import { type HostFault, mostSkewSeconds } from '../../../lab/ha/plan.ts';
import { UsageError } from '../../failures.ts';
import { askHosts, labDataOption, printHosts } from '../../lab-client.ts';
import { commonOptions } from '../../remote-verb.ts';
import { localVerb } from '../../verb.ts';

const options = { data: labDataOption, json: commonOptions.json };

/** `requestOf`: makes the request from the arguments. Prints the hosts that `named` selects. */
const verbOf = <const Takes extends readonly string[]>(
  takes: Takes,
  summary: string,
  requestOf: (names: readonly string[]) => LabRequest,
) =>
  localVerb({
    ...{ summary, takes, options },
    async run({ options: given, names, ...around }) {
      const words = names as readonly string[];
      const rows = await askHosts(given.data, requestOf(words), around.signal);
      await printHosts(
        rows.filter(({ name }) => words.includes(name)),
        around,
        given.json,
      );
    },
  });

const faultVerb = (fault: HostFault, summary: string) =>
  verbOf(['HOST'], summary, ([name = '']) => ({ do: fault, host: host(name) }));

export const freeze = faultVerb('freeze', 'Stop all processes of a host of "npm start -- --ha", until it is plugged.');
export const fillDisk = faultVerb('fill-disk', 'Fill the disk of a host of "npm start -- --ha", until it is plugged.');
export const freezeDisk = faultVerb(
  'freeze-disk',
  'Let all writes to the disk of a host of "npm start -- --ha" wait, until it is plugged.',
);
export const cut = verbOf(
  ['HOST', 'OTHER'],
  'Let nothing pass between two hosts of "npm start -- --ha", until one is plugged.',
  ([one = '', other = '']) => ({ do: 'cut', host: host(one), other: host(other) }),
);
export const skew = verbOf(
  ['HOST', 'SECONDS'],
  'Set the clock of a host of "npm start -- --ha" off by this many seconds; its agent and MariaDB restart with it.',
  ([name = '', text = '']) => ({ do: 'skew', host: host(name), seconds: seconds(text) }),
);

function host(name: string): string {
  if (!isHostName(name)) throw new UsageError(`'${name}' is not the name of a host: see "tidegate lab hosts"`);
  return name;
}

/** Negative for a clock that is behind. The command line then needs `--` before it. */
function seconds(text: string): number {
  const number = Number(text);
  if (/^[+-]?\d+$/.test(text) && Math.abs(number) <= mostSkewSeconds) return number;
  throw new UsageError(`SECONDS is a whole number from -${mostSkewSeconds} to ${mostSkewSeconds}, not '${text}'`);
}
