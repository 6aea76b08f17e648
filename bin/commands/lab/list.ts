// `tidegate lab list`.
import { askLab, labDataOption, printParts } from '../../cli/lab-client.ts';
import { commonOptions } from '../../cli/remote-verb.ts';
import { localVerb } from '../../cli/verb.ts';

export const list = localVerb({
  summary: 'List the parts that the lab has or can have.',
  takes: [],
  options: { data: labDataOption, json: commonOptions.json },
  async run({ options, ...around }) {
    await printParts(await askLab(options.data, { do: 'list' }, around.signal), around, options.json);
  },
});
