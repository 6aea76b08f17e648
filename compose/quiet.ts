// Quiet mode (`serve --quiet`): a whole process that only reads, for a look at a copy or at an installation under maintenance. What remains of
// its settings is the public endpoint and the database.

import { ConfigError } from '../platform/errors/config-error.ts';
import { type Config, placeOf } from '../platform/process/config.ts';
import type { SubgraphRow } from '../platform/process/subgraph-row.ts';

/** With these a process is a machine, listens to others, or connects to them. */
const outward = [
  ...['internal.machineFolder', 'internal.graphPort', 'internal.tls.certFile', 'internal.tls.keyFile'],
  ...['internal.tls.caFile', 'database.standbyHost', 'ha.host', 'ha.dataFolder', 'ha.processFile'],
];

/** The settings that are in force, if they ask for quiet mode. Throws ConfigError. */
export function quietSettings(config: Config, rows: readonly SubgraphRow[]): Config {
  if (!config['serve.quiet']) return config;
  const served = rows.map(({ name }) => name).filter((name) => config.roles.includes(name));
  if (served.length === 0)
    throw new ConfigError([
      {
        settings: ['serve.quiet', 'roles'],
        wrong: 'quiet mode shows the subgraphs of a database, and the roles name none',
        given: config.roles.join(','),
        advice: 'start it with settings of a host that has the role system',
      },
    ]);
  const left = new Set([
    ...outward,
    ...rows.flatMap(({ name, linkPorts = [] }) => {
      const { portSetting, urlSetting } = placeOf(name, config);
      return [portSetting, urlSetting, ...linkPorts];
    }),
  ]);
  const kept = Object.fromEntries(Object.entries(config).filter(([name]) => !left.has(name))) as Config;
  return {
    ...kept,
    roles: ['gateway', ...served],
    outsideSubgraphs: [],
    'ha.strict': false,
    'egress.allow': [],
    'egress.deny': ['0.0.0.0/0', '::/0'],
  };
}
