// `tidegate machines revoke NAME`.
import { graphql } from '../../../generated/cli/index.ts';
import { changeVerb } from '../../row-verbs.ts';
import { machineNamed } from './find.ts';

const document = graphql(`
  mutation MachinesRevoke($input: MachineRevokeInput!) {
    machineRevoke(input: $input) { machine { ...MachineFields } userErrors { code message field } }
  }
`);

export const revoke = changeVerb({
  summary: 'Revoke a machine: the others refuse it within 5 seconds.',
  takes: ['NAME'],
  options: {},
  document,
  input: async ({ client, names }) => ({ id: (await machineNamed(client, names[0])).id }),
  says: (_, { names }) => `${names[0]} is revoked`,
});
