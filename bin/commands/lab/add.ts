// `tidegate lab add PART`.
import { askLab, labDataOption, printParts } from '../../cli/lab-client.ts';
import { readPart } from '../../cli/lab-names.ts';
import { commonOptions } from '../../cli/remote-verb.ts';
import { localVerb } from '../../cli/verb.ts';

export const add = localVerb({
  summary: 'Start a part of the lab now and at each start, and register it as the backend lab-PART, if it is a device.',
  takes: ['PART'],
  options: { data: labDataOption, json: commonOptions.json },
  async run({ options, names, ...around }) {
    const part = readPart(names[0]);
    const parts = await askLab(options.data, { do: 'add', part }, around.signal);
    await printParts(
      parts.filter((each) => each.part === part),
      around,
      options.json,
    );
  },
});
