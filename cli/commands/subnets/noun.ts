// `tidegate subnets`: the projects' own networks, in which their nodes are.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { CommandFailure } from '../../failures.ts';
import { findNamed, inProjectOnly, namedAs, projectId, withOne } from '../../find.ts';
import type { GraphClient } from '../../graph-client.ts';
import { neededText } from '../../option.ts';
import { readPages } from '../../pages.ts';
import { commonOptions, remoteVerb } from '../../remote-verb.ts';
import { deleteVerb, listVerb } from '../../row-verbs.ts';
import type { Noun } from '../../verb.ts';
import { settled } from '../loadbalancers/balancer.ts';

const listDocument = graphql(`
  query SubnetsList($projectId: ID, $first: Int, $after: String) {
    projectSubnets(projectId: $projectId, first: $first, after: $after) {
      nodes { id name cidr provisioningStatus }
      pageInfo { hasNextPage endCursor }
    }
  }
`);
const namedDocument = graphql(`
  query SubnetsNamed($id: ID!, $projectId: ID, $names: [String!], $first: Int, $after: String) {
    projectSubnet(id: $id) { id name project { id } }
    projectSubnets(projectId: $projectId, names: $names, first: $first, after: $after) {
      nodes { id name }
      pageInfo { hasNextPage endCursor }
    }
  }
`);
const createDocument = graphql(`
  mutation SubnetsCreate($input: ProjectSubnetCreateInput!) {
    projectSubnetCreate(input: $input) {
      projectSubnet { id name cidr }
      commit { token }
      userErrors { code message field }
    }
  }
`);
const updateDocument = graphql(`
  mutation SubnetsUpdate($input: ProjectSubnetUpdateInput!) {
    projectSubnetUpdate(input: $input) {
      projectSubnet { id name cidr }
      commit { token }
      userErrors { code message field }
    }
  }
`);
const deleteDocument = graphql(`
  mutation SubnetsDelete($input: ProjectSubnetDeleteInput!) {
    projectSubnetDelete(input: $input) { commit { token } userErrors { code message field } }
  }
`);

/** By name or id. Throws CommandFailure if there is none, or several have the name. */
async function subnetId(client: GraphClient, nameOrId: string, project: string | undefined): Promise<string> {
  const inProject = await projectId(client, project);
  const variables = { ...namedAs(nameOrId), projectId: inProject };
  const named = readPages(client, namedDocument, variables, ({ projectSubnet, projectSubnets }) =>
    withOne(inProjectOnly(projectSubnet, inProject), projectSubnets),
  );
  return findNamed(named, 'subnet', nameOrId);
}

const { project, wait } = commonOptions;

const list = listVerb({
  summary: 'List subnets.',
  options: { project },
  read: async ({ client, options }) => {
    const inProject = await projectId(client, options.project);
    return readPages(client, listDocument, { projectId: inProject }, ({ projectSubnets }) => projectSubnets);
  },
  columns: { NAME: 'name', CIDR: 'cidr', PROVISIONING: 'provisioningStatus', ID: 'id' },
});

const create = remoteVerb({
  summary: 'Create a subnet.',
  takes: ['NAME'],
  options: { cidr: neededText('CIDR', 'Its addresses, for example 10.1.0.0/24.'), project, wait },
  async run(call) {
    const { client, names, options, printer } = call;
    const inProject = await projectId(client, options.project);
    const input = { idempotencyKey: randomUUID(), projectId: inProject, name: names[0], cidr: options.cidr };
    const { projectSubnet, commit } = await client.mutate(createDocument, input);
    await settled(call, commit);
    if (projectSubnet === null) throw new CommandFailure('the server gave no subnet');
    if (options.json) await printer.json(projectSubnet);
    else await printer.line(`${projectSubnet.name} ${projectSubnet.cidr} ${projectSubnet.id}`);
  },
});

const update = remoteVerb({
  summary: 'Give a subnet another name.',
  takes: ['NAME'],
  options: { rename: neededText('NAME', 'Its new name.'), project, wait },
  async run(call) {
    const { client, names, options, printer } = call;
    const id = await subnetId(client, names[0], options.project);
    const input = { idempotencyKey: randomUUID(), id, name: options.rename };
    const { projectSubnet, commit } = await client.mutate(updateDocument, input);
    await settled(call, commit);
    if (options.json) await printer.json(projectSubnet);
    else await printer.line(`${names[0]} is ${options.rename} now`);
  },
});

const remove = deleteVerb({
  summary: 'Delete a subnet that has no load balancers.',
  options: { project, wait },
  document: deleteDocument,
  find: async ({ client, names, options }) => ({ id: await subnetId(client, names[0], options.project) }),
});

export const subnets: Noun = { list, create, update, delete: remove };
