// `tidegate machines revoke NAME`.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { remoteVerb } from '../../remote-verb.ts';
import { machineNamed } from './find.ts';

const document = graphql(`
  mutation MachinesRevoke($input: MachineRevokeInput!) {
    machineRevoke(input: $input) { machine { ...MachineFields } userErrors { code message field } }
  }
`);

export const revoke = remoteVerb({
  summary: 'Revoke a machine: the others refuse it within 5 seconds.',
  takes: ['NAME'],
  options: {},
  async run({ client, options, names, printer }) {
    const { id } = await machineNamed(client, names[0]);
    const { machine } = await client.mutate(document, { idempotencyKey: randomUUID(), id });
    if (options.json) await printer.json(machine);
    else await printer.line(`${names[0]} is revoked`);
  },
});
