// `tidegate objects url`: a URL to download or upload one object, which the centre signs.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { CommandFailure } from '../../cli/failures.ts';
import { projectId } from '../../cli/find.ts';
import type { GraphClient } from '../../cli/graph-client.ts';
import { flag, integer, text } from '../../cli/option.ts';
import { commonOptions, remoteVerb } from '../../cli/remote-verb.ts';
import { namesIn } from './path.ts';

const containerDocument = graphql(`
  query ObjectsContainer($projectId: ID, $name: String!) {
    objectContainers(projectId: $projectId, prefix: $name, first: 1) { nodes { id name } }
  }
`);
const downloadDocument = graphql(`
  mutation ObjectsDownloadUrl($input: ObjectDownloadUrlInput!) {
    objectDownloadUrl(input: $input) {
      objectUrl { url method cluster expiresAt }
      commit { token }
      userErrors { code message field }
    }
  }
`);
const uploadDocument = graphql(`
  mutation ObjectsUploadUrl($input: ObjectUploadUrlInput!) {
    objectUploadUrl(input: $input) {
      objectUrl { url method cluster expiresAt }
      commit { token }
      userErrors { code message field }
    }
  }
`);

export const url = remoteVerb({
  summary: 'Print a URL with which who has it may download one object, or upload it, until it ends.',
  takes: ['CONTAINER/OBJECT'],
  options: {
    upload: flag('It is for PUT: what has the name is replaced.'),
    seconds: integer('N', 'How long it is valid, in seconds (900), at most 7 days.', { least: 1, most: 604_800 }),
    cluster: text('NAME', 'The cluster to which it leads; default: the first that is heard.'),
    project: commonOptions.project,
  },
  async run({ client, names, options, printer }) {
    const { container, object: name } = namesIn(names[0]);
    const { cluster, seconds } = options;
    const input = {
      ...{ idempotencyKey: randomUUID(), containerId: await containerId(client, container, options.project), name },
      ...(cluster === undefined ? {} : { cluster }),
      ...(seconds === undefined ? {} : { validSeconds: seconds }),
    };
    const { objectUrl } = await (options.upload
      ? client.mutate(uploadDocument, input)
      : client.mutate(downloadDocument, input));
    if (objectUrl === null) throw new CommandFailure('the server gave no URL');
    if (options.json) return printer.json(objectUrl);
    return printer.line(objectUrl.url);
  },
});

/** Of names that begin alike the shortest comes first. */
async function containerId(client: GraphClient, name: string, project: string | undefined): Promise<string> {
  const variables = { projectId: await projectId(client, project), name };
  const [found] = (await client.query(containerDocument, variables)).objectContainers?.nodes ?? [];
  if (found?.name === name) return found.id;
  throw new CommandFailure(`there is no container '${name}': name its project with --project`);
}
