// `tidegate gql FILE`: sends a GraphQL operation and prints the answer unchanged.
import { CommandFailure, SilentFailure } from '../failures.ts';
import { operationOptions, readVariables } from '../graphql-options.ts';
import { readInput } from '../read-input.ts';
import { remoteVerb } from '../remote-verb.ts';

export const gql = remoteVerb({
  summary: 'Send a GraphQL query or mutation from a file, - for standard input, and print the answer.',
  takes: ['FILE'],
  options: operationOptions,
  async run(call) {
    const { client, options, printer, names } = call;
    const variables = await readVariables(options.variables, names[0], call);
    const text = await readInput(names[0], call);
    if (text.trim() === '') throw new CommandFailure('there is no operation in it');
    const { data, errors } = await client.execute(text, variables, options.operation);
    await printer.json({ ...(data === undefined ? {} : { data }), ...(errors === undefined ? {} : { errors }) });
    // The answer contains the error.
    if (errors !== undefined && errors.length > 0) throw new SilentFailure(1);
  },
});
