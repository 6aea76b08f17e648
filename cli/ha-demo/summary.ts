// Output of a start with `--ha`.
import { join, resolve } from 'node:path';
import { backendName } from '../../lab/control-plane/backends.ts';
import type { DeviceBackend } from '../../lab/device.ts';
import type { HaHosts } from '../../lab/ha/hosts.ts';
import { hostNames } from '../../lab/ha/plan.ts';

interface DemoDescription {
  readonly url: string;
  /** Data folder of the demo. */
  readonly folder: string;
  readonly dataPath: string;
  readonly hosts: HaHosts;
  readonly firewall: DeviceBackend | string;
}

export function describeDemo({ url, folder, dataPath, hosts, firewall }: DemoDescription): string {
  const rows = [
    ['GraphQL', `${url}/graphql`],
    ['GraphiQL', `${url}/graphiql`],
    ['Dashboard', `${url}/ (user admin, password in ${join(folder, 'admin.password')})`],
    ['Health', `${url}/health/ready`],
    ['Admin token', join(folder, 'admin.token')],
    ...hostNames.map((name) => [`Host ${name}`, hostLine(hosts, name)]),
    ['Logs', join(folder, 'logs')],
    ['Lab', typeof firewall === 'string' ? `firewall: none, ${firewall}` : `backend "${backendName('firewall')}"`],
  ];
  const data = dataPath === resolve('.tidegate') ? '' : ` --data ${dataPath}`;
  const tries = [
    `bin/tidegate ha status${data}`,
    `bin/tidegate lab load${data} &`,
    `bin/tidegate ha switchover${data}`,
    `bin/tidegate lab unplug a${data}`,
    `bin/tidegate lab plug a${data}`,
    `bin/tidegate backends list --url ${url}/graphql --data ${folder}`,
  ];
  return [
    '',
    'Tidegate is ready on two hosts and a witness.',
    '',
    ...rows.map(([name, value]) => `  ${(name ?? '').padEnd(12)}${value}`),
    '',
    'Try these commands (docs/lab.md describes their effects):',
    ...tries.map((line) => `  ${line}`),
    '',
    'Ctrl-C stops everything.',
    '',
  ].join('\n');
}

function hostLine(hosts: HaHosts, name: (typeof hostNames)[number]): string {
  const what = name === 'w' ? 'witness' : 'data';
  return `${hosts.plan.hosts[name]}, ${what}, disk in ${hosts.host(name).disk.folder}`;
}
