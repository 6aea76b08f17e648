// `tidegate quotas`: limits of a project's objects in load balancing and GSLB. Only the limits of load balancing can be changed.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { settled } from '../../balancer.ts';
import { CommandFailure, UsageError } from '../../failures.ts';
import { projectId } from '../../find.ts';
import { chosenFrom, flag, integer, neededText } from '../../option.ts';
import { commonOptions, remoteVerb } from '../../remote-verb.ts';
import { listVerb } from '../../row-verbs.ts';
import type { Noun } from '../../verb.ts';

const listDocument = graphql(`
  query QuotasList($projectId: ID, $id: ID!, $isNamed: Boolean!) {
    loadBalancerQuotas(projectId: $projectId) { kind limit used }
    project(id: $id) @include(if: $isNamed) { gslbQuotas { kind limit used } }
    me @skip(if: $isNamed) { projects { project { gslbQuotas { kind limit used } } } }
  }
`);
const updateDocument = graphql(`
  mutation QuotasUpdate($input: LoadBalancerQuotaSetInput!) {
    loadBalancerQuotaSet(input: $input) {
      loadBalancerQuota { kind limit used } commit { token } userErrors { code message field }
    }
  }
`);

const kinds = [
  ...(['LOAD_BALANCERS', 'LISTENERS', 'POOLS', 'MEMBERS'] as const),
  ...(['L7_POLICIES', 'NODES', 'CERTIFICATES', 'SUBNETS'] as const),
] as const;
const { project, wait } = commonOptions;

const list = listVerb({
  summary: 'List the quotas of a project, with their use.',
  options: { project },
  async read({ client, options }) {
    const inProject = await projectId(client, options.project);
    const variables = { projectId: inProject, id: inProject ?? '', isNamed: inProject !== undefined };
    const { loadBalancerQuotas, project: named, me } = await client.query(listDocument, variables);
    // A caller with several projects had to name one already.
    const names = named ?? me?.projects[0]?.project;
    return [
      ...loadBalancerQuotas,
      ...(names?.gslbQuotas ?? []).map(({ kind, ...figures }) => ({ kind: `GSLB_${kind}`, ...figures })),
    ];
  },
  columns: { QUOTA: 'kind', USED: 'used', LIMIT: 'limit' },
});

const update = remoteVerb({
  summary: 'Change a quota of a project, for example NODES. Administrators only.',
  takes: ['NAME'],
  options: {
    quota: integer('N', 'At most so many.', { least: 0, most: 100_000 }),
    default: flag('The default from the settings of the installation.'),
    project: neededText('PROJECT', 'Project, by name or id.'),
    wait,
  },
  async run(call) {
    const { client, names, options, printer } = call;
    const kind = chosenFrom(kinds)(names[0], 'NAME');
    const { quota: limit } = options;
    if ((limit === undefined) !== options.default) throw new UsageError('give --quota or --default');
    const inProject = await projectId(client, options.project);
    if (inProject === undefined) throw new CommandFailure(`there is no project '${options.project}'`);
    const input = { idempotencyKey: randomUUID(), projectId: inProject, kind, limit: limit ?? null };
    const { loadBalancerQuota: quota, commit } = await client.mutate(updateDocument, input);
    await settled(call, commit);
    if (options.json) await printer.json(quota);
    else await printer.line(`${kind}: at most ${quota?.limit ?? '?'}, ${quota?.used ?? '?'} used`);
  },
});

export const quotas: Noun = { list, update };
