// `tidegate lab add PART`.
import type { DeviceName } from '../../../lab/device.ts';
import { installPackages } from '../../device-packages.ts';
import { askLab, labDataOption, printDevices } from '../../lab-client.ts';
import { readDevice } from '../../lab-names.ts';
import { flag } from '../../option.ts';
import { commonOptions } from '../../remote-verb.ts';
import { localVerb, type Output } from '../../verb.ts';
import { visible } from '../../visible.ts';

export const add = localVerb({
  summary: 'Start parts of the lab now and at each start, and register devices as the backends lab-PART.',
  takes: ['PART...'],
  options: {
    'no-install': flag('Install no system packages.'),
    data: labDataOption,
    json: commonOptions.json,
  },
  async run({ options, names, ...around }) {
    const added = names[0].map(readDevice);
    // Nothing is installed for a lab that does not run.
    let devices = await askLab(options.data, { do: 'list' }, around.signal);
    for (const device of added) {
      if (!options['no-install']) await installPackages(device, around.signal);
      const tell = stepTeller(around.stderr, device);
      tell('starting');
      devices = await askLab(options.data, { do: 'add', part: device }, around.signal, tell);
      tell('runs');
    }
    await printDevices(
      devices.filter((each) => added.includes(each.part)),
      around,
      options.json,
    );
  },
});

/** One line per step on standard error, so that a pipe contains only the table. */
function stepTeller(stderr: Output, device: DeviceName): (step: string) => void {
  const begunAtMs = performance.now();
  return (step) => {
    const seconds = ((performance.now() - begunAtMs) / 1_000).toFixed(1).padStart(6);
    stderr.write(`${seconds} s  ${visible(`${device}: ${step}`.replaceAll('\n', ' '))}\n`);
  };
}
