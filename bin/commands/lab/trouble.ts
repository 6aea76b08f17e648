// `tidegate lab trouble PART TROUBLE`.
import { askLab, labDataOption, printParts } from '../../cli/lab-client.ts';
import { readPart, readTrouble } from '../../cli/lab-names.ts';
import { commonOptions } from '../../cli/remote-verb.ts';
import { localVerb } from '../../cli/verb.ts';

export const trouble = localVerb({
  summary: 'Make a part misbehave until it is told otherwise: hang, late, drop, refuse, full or none (docs/lab.md).',
  takes: ['PART', 'TROUBLE'],
  options: { data: labDataOption, json: commonOptions.json },
  async run({ options, names, ...around }) {
    const part = readPart(names[0]);
    const parts = await askLab(options.data, { do: 'trouble', part, trouble: readTrouble(names[1]) }, around.signal);
    await printParts(
      parts.filter((each) => each.part === part),
      around,
      options.json,
    );
  },
});
