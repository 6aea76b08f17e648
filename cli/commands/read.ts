// `tidegate read BACKEND OPERATION`: queries a device, and changes nothing.
import { graphql } from '../../generated/cli/index.ts';
import { backendSelector } from '../backend-selector.ts';
import { CommandFailure, CommandFaults } from '../failures.ts';
import { projectId } from '../find.ts';
import { refusalText } from '../graph-client.ts';
import { argumentsOption, readArguments } from '../graphql-options.ts';
import { commonOptions, remoteVerb } from '../remote-verb.ts';

const document = graphql(`
  query ReadMake($input: RelayReadInput!) {
    relayRead(input: $input) { result wireCall deviceError { code message } userErrors { code message field } }
  }
`);

export const read = remoteVerb({
  summary: 'Read from a backend by an operation of its driver, and print the result as JSON.',
  takes: ['BACKEND', 'OPERATION'],
  options: { arguments: argumentsOption, project: commonOptions.project },
  async run(call) {
    const { client, options, names, printer } = call;
    const [backend, operation] = names;
    const input = {
      ...{ backend: backendSelector(backend), operation, arguments: await readArguments(options.arguments, call) },
      projectId: await projectId(client, options.project),
    };
    const { relayRead } = await client.query(document, { input });
    if (relayRead.userErrors.length > 0) throw new CommandFaults(relayRead.userErrors.map(refusalText));
    const { deviceError, result } = relayRead;
    if (deviceError !== null)
      throw new CommandFailure(`the device refused it: ${deviceError.code}: ${deviceError.message}`);
    await printer.json(result);
  },
});
