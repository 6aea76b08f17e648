// `tidegate lab hosts`.
import { partsWithHosts } from '../../../lab/device.ts';
import { askHosts, labDataOption, printHosts } from '../../lab-client.ts';
import { commonOptions } from '../../remote-verb.ts';
import { localVerb } from '../../verb.ts';

/** A device such as the firewall is not a host, although it runs. */
const noHosts = `no part with hosts is running: those are ${partsWithHosts.join(', ')}, which "tidegate lab add" starts. Devices such as the firewall are in "tidegate lab list"`;

export const hosts = localVerb({
  summary: `List the hosts of the parts that have some (${partsWithHosts.join(', ')}); "lab list" has the devices.`,
  takes: [],
  options: { data: labDataOption, json: commonOptions.json },
  async run({ options, ...around }) {
    const rows = await askHosts(options.data, { do: 'list' }, around.signal);
    if (rows.length === 0 && !options.json) around.stderr.write(`tidegate: ${noHosts}\n`);
    else await printHosts(rows, around, options.json);
  },
});
