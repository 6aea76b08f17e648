// `tidegate lab list`.
import { askLab, labDataOption, printDevices } from '../../lab-client.ts';
import { commonOptions } from '../../remote-verb.ts';
import { localVerb } from '../../verb.ts';

export const list = localVerb({
  summary: 'List the parts that the lab has or can have.',
  takes: [],
  options: { data: labDataOption, json: commonOptions.json },
  async run({ options, ...around }) {
    await printDevices(await askLab(options.data, { do: 'list' }, around.signal), around, options.json);
  },
});
