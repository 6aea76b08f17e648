// `tidegate mappings show ID`.
import { graphql } from '../../../generated/cli/index.ts';
import { CommandFailure } from '../../failures.ts';
import { remoteVerb } from '../../remote-verb.ts';
import { printMapping } from './mapping.ts';

const document = graphql(`
  query MappingsShow($id: ID!) { mapping(id: $id) { ...MappingFields } }
`);

export const show = remoteVerb({
  summary: 'Show a mapping, and the result of its last verification.',
  takes: ['ID'],
  options: {},
  async run(call) {
    const [id] = call.names;
    const { mapping } = await call.client.query(document, { id });
    if (mapping === null) throw new CommandFailure(`there is no mapping '${id}'`);
    await printMapping(call, mapping);
  },
});
