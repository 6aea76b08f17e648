// `tidegate lab trouble PART TROUBLE`.
import { askLab, labDataOption, printDevices } from '../../lab-client.ts';
import { readDevice, readTrouble } from '../../lab-names.ts';
import { commonOptions } from '../../remote-verb.ts';
import { localVerb } from '../../verb.ts';

export const trouble = localVerb({
  summary: 'Make a part misbehave until the next trouble: hang, late, drop, refuse, full or none (docs/lab.md).',
  takes: ['PART', 'TROUBLE'],
  options: { data: labDataOption, json: commonOptions.json },
  async run({ options, names, ...around }) {
    const device = readDevice(names[0]);
    const devices = await askLab(
      options.data,
      { do: 'trouble', part: device, trouble: readTrouble(names[1]) },
      around.signal,
    );
    await printDevices(
      devices.filter((each) => each.part === device),
      around,
      options.json,
    );
  },
});
