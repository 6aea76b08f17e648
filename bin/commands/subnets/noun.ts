// `tidegate subnets`: the projects' own networks, in which their nodes are.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { CommandFailure } from '../../cli/failures.ts';
import { findNamed, projectId } from '../../cli/find.ts';
import type { GraphClient } from '../../cli/graph-client.ts';
import { neededText } from '../../cli/option.ts';
import { readAll, readPages } from '../../cli/pages.ts';
import { commonOptions, remoteVerb } from '../../cli/remote-verb.ts';
import type { Noun } from '../../cli/verb.ts';
import { settled } from '../loadbalancers/balancer.ts';

const listDocument = graphql(`
  query SubnetsList($projectId: ID, $first: Int, $after: String) {
    projectSubnets(projectId: $projectId, first: $first, after: $after) {
      nodes { id name cidr provisioningStatus }
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

const pages = (client: GraphClient, inProject: string | undefined) =>
  readPages(client, listDocument, { projectId: inProject }, ({ projectSubnets }) => projectSubnets);

const { project, wait } = commonOptions;

const list = remoteVerb({
  summary: 'List subnets.',
  takes: [],
  options: { project },
  async run({ client, options, printer }) {
    const found = await readAll(pages(client, await projectId(client, options.project)));
    if (options.json) return printer.json(found);
    const rows = found.map((each) => [each.name, each.cidr, each.provisioningStatus, each.id]);
    return printer.table(['NAME', 'CIDR', 'PROVISIONING', 'ID'], rows);
  },
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
    const inProject = await projectId(client, options.project);
    const id = await findNamed(pages(client, inProject), 'subnet', names[0]);
    const input = { idempotencyKey: randomUUID(), id, name: options.rename };
    const { projectSubnet, commit } = await client.mutate(updateDocument, input);
    await settled(call, commit);
    if (options.json) await printer.json(projectSubnet);
    else await printer.line(`${names[0]} is ${options.rename} now`);
  },
});

const remove = remoteVerb({
  summary: 'Delete a subnet that has no load balancers.',
  takes: ['NAME'],
  options: { project, wait },
  async run(call) {
    const { client, names, options, printer } = call;
    const inProject = await projectId(client, options.project);
    const id = await findNamed(pages(client, inProject), 'subnet', names[0]);
    const { commit } = await client.mutate(deleteDocument, { idempotencyKey: randomUUID(), id });
    await settled(call, commit);
    if (options.json) await printer.json({ id, deleted: true });
    else await printer.line(`${names[0]} is deleted`);
  },
});

export const subnets: Noun = { list, create, update, delete: remove };
