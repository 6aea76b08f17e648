// The second step of `tidegate setup`, once the database has the two accounts: its tables, the machines of all hosts, the first administrator, and an
// archive for each host.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { databaseLocations } from '../../compose/connections.ts';
import { machineRolesOf } from '../../compose/missing-files.ts';
import { ownersOf } from '../../compose/owners.ts';
import { migrate } from '../../platform/database/migrate.ts';
import { primaryLocation } from '../../platform/database/primary-finder.ts';
import { type Config, readConfig } from '../../platform/process/config.ts';
import { migrationsOf } from '../../platform/process/subgraph-row.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { CommandFailure } from '../failures.ts';
import { issueMachines } from '../issue-machines.ts';
import { describeFailure } from '../start-failure.ts';
import { withSystem } from '../system-alone.ts';
import { processesOf } from './host-settings.ts';
import { endpointOf, type HostsFile, hostsWith, readHostsFile, type SetupHost } from './hosts-file.ts';
import { configIn, environmentIn, placesIn } from './write-hosts.ts';

const run = promisify(execFile);

interface FinishedHost {
  readonly name: string;
  readonly archive: string;
  readonly units: readonly string[];
  /** Roles whose machine joins later, with a token: administrators give it networks, places or addresses. */
  readonly joins: readonly string[];
}

/** Reads the hosts file that the first step kept. Throws CommandFailure. */
export async function finishSetup(
  folder: string,
  admin: string,
): Promise<{ readonly password: string | undefined; readonly hosts: readonly FinishedHost[] }> {
  const { hostsFile } = placesIn(folder);
  const text = await readFile(hostsFile, 'utf8').catch(() => {
    throw new CommandFailure(
      `--to: ${folder} has no hosts.yaml: run "tidegate setup --hosts FILE --to ${folder}" first`,
    );
  });
  const file = readHostsFile(text, hostsFile);
  const [first] = hostsWith(file, 'system');
  const etc = placesIn(folder).etc(first?.name ?? '');
  await makeTables(file, folder, etc);
  const ca = file.authority === undefined ? undefined : await readFile(placesIn(folder).endpointAuthority, 'utf8');
  const machines = file.hosts.flatMap((host) =>
    issuedRoles(file, host, folder).map((role) => ({
      ...{ name: `${host.name}-${role}`, role, records: {} },
      folder: join(placesIn(folder).etc(host.name), 'machine'),
    })),
  );
  const environment = {
    ...environmentIn(etc),
    TIDEGATE_DATABASE_MEMORY_FILE: join(resolve(folder), 'database.memory'),
  };
  const { password } = await withSystem(join(etc, 'control.yaml'), environment, async (firstStart) => {
    const made = await firstStart.createUser({ name: admin, admin: true });
    await issueMachines(firstStart, machines, { endpoint: endpointOf(file), ca });
    return made;
  });
  const hosts: FinishedHost[] = [];
  for (const host of file.hosts) hosts.push(await finishedHost(file, host, folder));
  return { password, hosts };
}

/** With the account that may change tables. */
async function makeTables(file: HostsFile, folder: string, etc: string): Promise<void> {
  const environment = {
    ...environmentIn(etc),
    TIDEGATE_DATABASE_USER: 'tidegate-migrate',
    TIDEGATE_DATABASE_PASSWORD_FILE: placesIn(folder).migratePassword,
  };
  try {
    const config = readConfig({ file: join(etc, 'control.yaml'), env: environment }, subgraphRows);
    const roles = file.hosts.flatMap((host) => host.roles);
    await migrate(
      await primaryLocation(databaseLocations(config)),
      ownersOf(roles, subgraphRows),
      migrationsOf(subgraphRows),
    );
  } catch (error) {
    throw describeFailure(error);
  }
}

function configsOf(file: HostsFile, host: SetupHost, folder: string): readonly Config[] {
  return processesOf(file, host).map(({ name }) => configIn(placesIn(folder).etc(host.name), name));
}

const withoutDatabase = new Set(subgraphRows.flatMap(({ roles = [] }) => roles.map(({ name }) => name)));

function issuedRoles(file: HostsFile, host: SetupHost, folder: string): readonly string[] {
  const roles = configsOf(file, host, folder).flatMap((config) => machineRolesOf(config, subgraphRows));
  return roles.filter((role) => !withoutDatabase.has(role));
}

/** Owners are written as names: the host has the user when it unpacks the archive as root. */
async function finishedHost(file: HostsFile, host: SetupHost, folder: string): Promise<FinishedHost> {
  const processes = processesOf(file, host);
  const owner = processes.every(({ name }) => name === 'lbhost') ? 'root' : 'tidegate';
  const archive = join(resolve(folder), `${host.name}.tar`);
  const others = processes.some(({ name }) => name === 'gateway') ? ['etc/systemd', 'etc/nginx'] : ['etc/systemd'];
  const tar = (how: string, who: string, paths: readonly string[]) =>
    run('tar', [how, '--file', archive, `--owner=${who}`, `--group=${who}`, '-C', host.name, ...paths], {
      cwd: dirname(archive),
    });
  await tar('--create', owner, ['etc/tidegate']);
  await tar('--append', 'root', others);
  await run('gzip', ['--force', archive]);
  return {
    ...{ name: host.name, archive: `${archive}.gz`, units: processes.map(({ unit }) => unit) },
    joins: host.roles.filter((role) => withoutDatabase.has(role)),
  };
}
