// `tidegate mappings forget ID`: ends a mapping and leaves the backend object unchanged.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { commonOptions, remoteVerb } from '../../remote-verb.ts';
import { changedMapping } from './mapping.ts';

const document = graphql(`
  mutation MappingsForget($input: MappingForgetInput!) {
    mappingForget(input: $input) { mapping { ...MappingFields } commit { token } userErrors { code message field } }
  }
`);

export const forget = remoteVerb({
  summary: 'End a mapping, and leave the backend object as it is.',
  takes: ['ID'],
  options: { wait: commonOptions.wait },
  async run(call) {
    const { client, options, names, printer } = call;
    const payload = await client.mutate(document, { id: names[0], idempotencyKey: randomUUID() });
    const mapping = await changedMapping(call, payload);
    if (options.json) return printer.json(mapping);
    await printer.line(
      `the mapping of ${mapping.resource} ${mapping.objectKey} has ended; the object is still on the backend`,
    );
  },
});
