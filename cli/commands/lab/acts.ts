// `tidegate lab unplug | plug | kill HOST`.
import { type HostAct, isHostName } from '../../../lab/device.ts';
import { UsageError } from '../../failures.ts';
import { askHosts, labDataOption, printHosts } from '../../lab-client.ts';
import { printerOf } from '../../printer.ts';
import { commonOptions } from '../../remote-verb.ts';
import { localVerb } from '../../verb.ts';

const done: Readonly<Record<HostAct, string>> = { unplug: 'unplugged', plug: 'plugged in', kill: 'killed' };

const verbOf = (act: HostAct, summary: string) =>
  localVerb({
    summary,
    takes: ['HOST'],
    options: { data: labDataOption, json: commonOptions.json },
    async run({ options, names, ...around }) {
      const [host] = names;
      if (!isHostName(host)) throw new UsageError(`'${host}' is not the name of a host: see "tidegate lab hosts"`);
      const rows = await askHosts(options.data, { do: act, host }, around.signal);
      const named = rows.filter(({ name }) => name === host);
      // A node of a load balancer is not among the hosts.
      if (named.length > 0 || options.json) return printHosts(named, around, options.json);
      await printerOf(around).line(`${host} is ${done[act]}`);
    },
  });

export const unplug = verbOf('unplug', 'Pull the network cable of a host, or of a node of a load balancer.');
export const plug = verbOf(
  'plug',
  'Put the cable back; a host that was killed is switched on again, and any other fault is taken back.',
);
export const kill = verbOf('kill', 'Cut the power of a host, or end the programs of a node.');
