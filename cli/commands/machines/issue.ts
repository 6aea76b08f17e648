// `tidegate machines issue NAME`: credentials for the first machines, before an endpoint exists for joining. It needs the database and the key folder
// of the role system.
import { access, constants, mkdir } from 'node:fs/promises';
import { CommandFailure, UsageError } from '../../failures.ts';
import { issueMachines } from '../../issue-machines.ts';
import { configOption } from '../../local-options.ts';
import { givenRecords, newRecordOptions } from '../../machine-options.ts';
import { neededText, several } from '../../option.ts';
import { withSystem } from '../../system-alone.ts';
import { localVerb } from '../../verb.ts';
import { credentialOptions, endpointCa, endpointOf, role } from './options.ts';

export const issue = localVerb({
  summary: 'Write the credentials of a machine, directly from the database, before there is an endpoint.',
  about: [
    'With several roles, each gets a machine of its own, named NAME-ROLE: all of them or, after a refusal, none.',
  ],
  takes: ['NAME'],
  examples: [
    'tidegate machines issue control-1 --role system,relay,gateway --folder /etc/tidegate/machine --endpoint https://tidegate.example.net/graphql --config /etc/tidegate/control.yaml',
  ],
  options: {
    role: several('ROLE', `${role.help} Or several, separated by commas.`, rolesIn),
    ...newRecordOptions,
    ...credentialOptions,
    endpoint: neededText('URL', 'Endpoint that the machine will use.'),
    config: configOption,
  },
  alsoNeeds: (given) => (given.has('role') ? [] : ['--role ROLE']),
  async run({ names, options, stdout, env }) {
    const endpoint = endpointOf(options.endpoint, '--endpoint');
    const ca = await endpointCa(options['endpoint-ca']);
    const records = givenRecords(options);
    const roles = options.role.flat();
    const twice = roles.find((each, index) => roles.indexOf(each) !== index);
    if (twice !== undefined) throw new UsageError(`--role: ${twice} is given twice`);
    if (roles.length > 1 && Object.keys(records).length > 0)
      throw new UsageError('the options of one role need that role alone: give one --role');
    await prepareFolder(options.folder);
    const machines = roles.map((each) => ({
      name: roles.length === 1 ? names[0] : `${names[0]}-${each}`,
      ...{ role: each, records, folder: options.folder },
    }));
    const paths = await withSystem(options.config, env, (firstStart) =>
      issueMachines(firstStart, machines, { endpoint: endpoint.href, ca }),
    );
    stdout.write(paths.map((path) => `${path}\n`).join(''));
  },
});

function rolesIn(given: string, name: string): readonly string[] {
  const roles = given.split(',').map((each) => each.trim());
  if (roles.includes('')) throw new UsageError(`${name}: '${given}' has an empty role`);
  return roles;
}

/** Before the machines exist: credentials that can't be written are lost. */
async function prepareFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    throw new CommandFailure(`--folder: ${folder} can't be written (${code}): give a folder of this account`);
  }
}
