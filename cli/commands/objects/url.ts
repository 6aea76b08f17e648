// `tidegate objects url`: a URL to download or upload one object, signed by the control plane.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { CommandFailure } from '../../failures.ts';
import { projectId } from '../../find.ts';
import type { GraphClient } from '../../graph-client.ts';
import { flag, integer, text } from '../../option.ts';
import { commonOptions, remoteVerb } from '../../remote-verb.ts';
import { namesIn } from './path.ts';

const containerDocument = graphql(`
  query ObjectsContainer($projectId: ID, $name: String!) {
    objectContainers(projectId: $projectId, names: [$name]) { nodes { id name } }
  }
`);
const clustersDocument = graphql(`
  query ObjectsEndpoints { objectEndpoints { id name } }
`);
const downloadDocument = graphql(`
  mutation ObjectsDownloadUrl($input: ObjectDownloadUrlCreateInput!) {
    objectDownloadUrlCreate(input: $input) {
      objectUrl { url method clusterName expiresAt } commit { token } userErrors { code message field }
    }
  }
`);
const uploadDocument = graphql(`
  mutation ObjectsUploadUrl($input: ObjectUploadUrlCreateInput!) {
    objectUploadUrlCreate(input: $input) {
      objectUrl { url method clusterName expiresAt } commit { token } userErrors { code message field }
    }
  }
`);

export const url = remoteVerb({
  summary: 'Print a URL with which who has it may download one object, or upload it, until it ends.',
  takes: ['CONTAINER/OBJECT'],
  options: {
    upload: flag('For PUT: replaces the object.'),
    seconds: integer('N', 'How long it is valid, in seconds (900), at most 7 days.', { least: 1, most: 604_800 }),
    cluster: text('NAME', 'Cluster of the URL; default: the first that answers.'),
    project: commonOptions.project,
  },
  async run({ client, names, options, printer }) {
    const { container, object: name } = namesIn(names[0]);
    const { cluster, seconds } = options;
    const input = {
      ...{ idempotencyKey: randomUUID(), containerId: await containerId(client, container, options.project), name },
      ...(cluster === undefined ? {} : { clusterId: await clusterId(client, cluster) }),
      ...(seconds === undefined ? {} : { validMs: seconds * 1_000 }),
    };
    const { objectUrl } = await (options.upload
      ? client.mutate(uploadDocument, input)
      : client.mutate(downloadDocument, input));
    if (objectUrl === null) throw new CommandFailure('the server gave no URL');
    if (options.json) return printer.json(objectUrl);
    return printer.line(objectUrl.url);
  },
});

async function clusterId(client: GraphClient, name: string): Promise<string> {
  const { objectEndpoints } = await client.query(clustersDocument, {});
  const found = objectEndpoints.find((each) => each.name === name || each.id === name);
  if (found !== undefined) return found.id;
  const names = objectEndpoints.map((each) => each.name).join(', ');
  throw new CommandFailure(`there is no cluster '${name}' that takes users: name one of ${names || 'none'}`);
}

async function containerId(client: GraphClient, name: string, project: string | undefined): Promise<string> {
  const variables = { projectId: await projectId(client, project), name };
  const [found] = (await client.query(containerDocument, variables)).objectContainers?.nodes ?? [];
  if (found !== undefined) return found.id;
  throw new CommandFailure(`there is no container '${name}': name its project with --project`);
}
