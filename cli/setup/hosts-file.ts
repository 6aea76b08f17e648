// The hosts file of `tidegate setup`: where the installation is reached, its database and Redis, and the roles of each host. All faults are found
// before anything is written.
import { isIP } from 'node:net';
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { rolesOf } from '../../platform/process/config.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { withGraphPath } from '../endpoint.ts';
import { CommandFaults } from '../failures.ts';

const hostName = /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;
const isAddress = (text: string): boolean => isIP(text) > 0 || (hostName.test(text) && !/^[\d.]+$/.test(text));

const address = z.string().refine(isAddress, 'it must be a host name or an IP address');
const addresses = z
  .union([z.string().transform((one) => [one]), z.array(z.string())])
  .pipe(z.array(address).min(1).max(9));
const port = z.int().min(1).max(65_535);
const path = z.string().min(1);

/** Settings of the processes by the name of their sample. Their own faults are found when they are read as `serve` reads them. */
const own = z.record(z.string(), z.record(z.string(), z.unknown()));

const host = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9](?:[a-z0-9-]{0,40}[a-z0-9])?$/, 'it must have 1 to 42 lower-case letters, digits and hyphens'),
  address,
  roles: z.array(z.string()).min(1, 'give at least one role'),
  settings: own.default({}),
});

const shape = z.strictObject({
  url: z.url({ protocol: /^https$/, error: 'it must be an https URL' }),
  /** Of the certificate of `url`, if hosts do not trust it anyway. */
  authority: path.optional(),
  database: z.strictObject({
    host: addresses,
    port: port.default(3306),
    name: z
      .string()
      .regex(/^[a-z0-9]{1,32}$/, 'it must have 1 to 32 lower-case letters and digits')
      .default('tidegate'),
    authority: path.optional(),
  }),
  redis: z.strictObject({
    host: address,
    port: port.default(6379),
    passwordFile: path.optional(),
    tls: z.boolean().default(true),
  }),
  hosts: z.array(host).min(1, 'name at least one host'),
});

export type HostsFile = z.output<typeof shape>;
export type SetupHost = HostsFile['hosts'][number];

/** Roles that every installation has. */
const always = ['gateway', 'system', 'worker'];
/** Roles that connect to processes with another role. */
const neededBy: Readonly<Record<string, string>> = { dns: 'gslb', checker: 'gslb', lbhost: 'loadbalancer' };
/** Roles of a cluster of object storage, which has a database of its own. */
const ofCluster = ['objectcontroller', 'objectresolver', 'objectserver'];

/** `from`: its path, for the messages. Throws CommandFaults with all faults. */
export function readHostsFile(text: string, from: string): HostsFile {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false });
  if (document.errors.length > 0)
    throw new CommandFaults(
      document.errors.map(({ pos, message }) => `${from}, line ${counter.linePos(pos[0]).line}: ${message}`),
    );
  const { data, error } = shape.safeParse(document.toJS({ maxAliasCount: 0 }));
  if (error !== undefined) throw new CommandFaults(error.issues.flatMap(wordsOf).map((words) => `${from}: ${words}`));
  const faults = [...twice(data), ...wrongRoles(data), ...unusedSettings(data)];
  if (faults.length > 0) throw new CommandFaults(faults.map((words) => `${from}: ${words}`));
  return data;
}

export function hostsWith({ hosts }: HostsFile, role: string): readonly SetupHost[] {
  return hosts.filter(({ roles }) => roles.includes(role));
}

/** The endpoint for machines and people. */
export function endpointOf({ url }: HostsFile): string {
  return withGraphPath(new URL(url)).href;
}

function wordsOf(issue: z.core.$ZodIssue): readonly string[] {
  const at = issue.path.map((part) => (typeof part === 'number' ? `[${part + 1}]` : `.${String(part)}`)).join('');
  const place = at.replace(/^\./, '');
  const below = place === '' ? '' : `${place}.`;
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => `${below}${key}: there is no such field; see "The first hour" in docs/operating.md`);
  if (issue.code === 'invalid_union') return [`${place}: it must be an address, or a list of addresses`];
  return [`${place === '' ? 'the file' : place}: ${issue.message}`];
}

function twice({ hosts }: HostsFile): readonly string[] {
  const faults: string[] = [];
  for (const field of ['name', 'address'] as const) {
    const values = hosts.map((each) => each[field]);
    const repeated = new Set(values.filter((value, index) => values.indexOf(value) !== index));
    for (const value of repeated)
      faults.push(`hosts: ${values.filter((each) => each === value).length} hosts have the ${field} ${value}`);
  }
  return faults;
}

function wrongRoles({ hosts }: HostsFile): readonly string[] {
  const { all } = rolesOf(subgraphRows);
  const run = new Set(hosts.flatMap(({ roles }) => roles));
  const faults = hosts.flatMap(({ name, roles }) =>
    roles.flatMap((role, index) => {
      if (!all.includes(role)) return [`host ${name}: there is no role ${role}; roles are ${all.join(', ')}`];
      if (roles.indexOf(role) !== index) return [`host ${name}: the role ${role} is given twice`];
      if (ofCluster.includes(role))
        return [
          `host ${name}: ${role} belongs to a cluster of object storage, which joins with tokens: see docs/operating.md`,
        ];
      const other = neededBy[role];
      return other === undefined || run.has(other)
        ? []
        : [`host ${name}: the role ${role} needs ${other}, which no host runs`];
    }),
  );
  return [...faults, ...always.filter((role) => !run.has(role)).map((role) => `hosts: no host runs the role ${role}`)];
}

/** The samples of a host are named in host-settings.ts; a typing error would otherwise go unnoticed. */
function unusedSettings({ hosts }: HostsFile): readonly string[] {
  return hosts.flatMap(({ name, roles, settings }) =>
    Object.keys(settings).flatMap((sample) =>
      samplesOf(roles).includes(sample)
        ? []
        : [`host ${name}: settings.${sample}: its processes are ${samplesOf(roles).join(', ')}`],
    ),
  );
}

/** The samples of docker/systemd from which a host with these roles gets its settings, one for each process. */
export function samplesOf(roles: readonly string[]): readonly string[] {
  const apart = ['gateway', 'dns', 'checker', 'lbhost'];
  const control = roles.some((role) => !apart.includes(role) && !ofCluster.includes(role)) ? ['control'] : [];
  return [...control, ...apart.filter((role) => roles.includes(role))];
}
