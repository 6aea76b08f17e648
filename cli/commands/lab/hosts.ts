// `tidegate lab hosts`.
import { askHosts, labDataOption, printHosts } from '../../lab-client.ts';
import { commonOptions } from '../../remote-verb.ts';
import { localVerb } from '../../verb.ts';

export const hosts = localVerb({
  summary: 'List the hosts of the parts that run, with their addresses.',
  takes: [],
  options: { data: labDataOption, json: commonOptions.json },
  async run({ options, ...around }) {
    await printHosts(await askHosts(options.data, { do: 'list' }, around.signal), around, options.json);
  },
});
