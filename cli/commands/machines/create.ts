// `tidegate machines create NAME --role ROLE`: prints the token for `tidegate join`.
import { graphql } from '../../../generated/cli/index.ts';
import { givenRecords, newRecordOptions } from '../../machine-options.ts';
import { commonOptions, remoteVerb } from '../../remote-verb.ts';
import { replicated } from '../../wait.ts';
import { role, roleOf } from './options.ts';

const document = graphql(`
  mutation MachinesCreate($input: MachineCreateInput!) {
    machineCreate(input: $input) { machine { ...MachineFields } joinToken joinTokenExpiresAt commit { token } userErrors { code message field } }
  }
`);

export const create = remoteVerb({
  summary: 'Create a machine, and print the token with which it joins.',
  takes: ['NAME'],
  options: { role, ...newRecordOptions, wait: commonOptions.wait },
  async run({ client, options, names, printer, stderr, signal }) {
    const records = givenRecords(options);
    // Without a key, because a repetition would not show the token again.
    const { machine, joinToken, joinTokenExpiresAt, commit } = await client.mutate(document, {
      name: names[0],
      machineRole: roleOf(options.role),
      ...records,
    });
    await replicated({ client, signal, options }, commit);
    if (options.json) return printer.json({ machine, joinToken, joinTokenExpiresAt });
    await printer.line(joinToken ?? '');
    stderr.write(
      `tidegate: on the machine's host, until ${joinTokenExpiresAt}: tidegate join TOKEN --folder DIR --url URL\n`,
    );
  },
});
