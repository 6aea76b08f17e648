// `tidegate backends delete NAME`.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { backendId, projectId } from '../../find.ts';
import { flag } from '../../option.ts';
import { commonOptions, remoteVerb } from '../../remote-verb.ts';
import { replicated } from '../../wait.ts';

const document = graphql(`
  mutation BackendsDelete($input: BackendDeleteInput!) {
    backendDelete(input: $input) { commit { token } userErrors { code message field } }
  }
`);

export const remove = remoteVerb({
  summary: 'Delete a backend.',
  takes: ['NAME'],
  options: {
    'orphan-mappings': flag('Delete it even if it has live mappings, which become orphans.'),
    project: commonOptions.project,
    wait: commonOptions.wait,
  },
  async run({ client, options, names, printer, signal }) {
    const id = await backendId(client, names[0], await projectId(client, options.project));
    const orphanMappings = options['orphan-mappings'];
    const { commit } = await client.mutate(document, { idempotencyKey: randomUUID(), id, orphanMappings });
    await replicated({ client, signal, options }, commit);
    if (options.json) await printer.json({ id, deleted: true });
    else await printer.line(`${names[0]} is deleted`);
  },
});
