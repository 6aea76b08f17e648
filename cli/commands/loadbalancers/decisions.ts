// `tidegate loadbalancers decisions NAME`: decisions of healing and autoscaling.
import { graphql } from '../../../generated/cli/index.ts';
import { balancerId } from '../../balancer.ts';
import { flag } from '../../option.ts';
import { readAll, readPages } from '../../pages.ts';
import { commonOptions, remoteVerb } from '../../remote-verb.ts';

const scalingDocument = graphql(`
  query LoadBalancersScaling($id: ID!, $changed: Boolean, $first: Int, $after: String) {
    loadBalancer(id: $id) {
      scalingDecisions(changed: $changed, first: $first, after: $after) {
        nodes { decidedAt action fromNodes toNodes recommendedNodes reason dryRun figures { nodeName loadPercent measuredAt warmingUp } }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
`);
const projectDocument = graphql(`query LoadBalancersProject($id: ID!) { loadBalancer(id: $id) { project { id } } }`);
/** Decisions about the nodes of all load balancers of a project, because a removed node is not listed elsewhere. */
const healingDocument = graphql(`
  query LoadBalancersHealing($projectId: ID, $first: Int, $after: String) {
    statusHistory(projectId: $projectId, kinds: ["loadBalancerNode.decision"], first: $first, after: $after) {
      nodes { changedAt to reason subject { ... on LoadBalancerNode { name loadBalancer { id } } } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

/** Number of decisions to read, from the whole project. */
const mostLooked = 1_000;

interface Decision {
  readonly at: string;
  readonly by: 'healing' | 'autoscaling';
  readonly decision: string;
  readonly reason: string;
}

export const decisions = remoteVerb({
  summary: 'List decisions of healing and autoscaling: nodes that were added, replaced or removed, newest first.',
  examples: ['tidegate loadbalancers decisions web'],
  takes: ['NAME'],
  options: {
    all: flag('Also decisions of the last day that changed nothing.'),
    limit: commonOptions.limit,
    project: commonOptions.project,
  },
  async run({ client, names, options, printer }) {
    const id = await balancerId(client, names[0], options.project);
    const { limit = 20 } = options;
    const scalingOf = { id, changed: options.all ? null : true };
    const pages = readPages(client, scalingDocument, scalingOf, (data) => data.loadBalancer?.scalingDecisions, limit);
    const scaled = (await readAll(pages)).map((each) => ({
      ...{ at: each.decidedAt, by: 'autoscaling' as const, reason: each.reason },
      decision: `${each.action === 'KEEP' ? `KEEP ${each.fromNodes}` : `${each.action} ${each.fromNodes} → ${each.toNodes}`}${each.dryRun ? ' (dry run)' : ''}`,
      figures: each.figures,
    }));
    const { loadBalancer } = await client.query(projectDocument, { id });
    const projectId = loadBalancer?.project?.id ?? null;
    const healed: Decision[] = [];
    for await (const each of readPages(
      client,
      healingDocument,
      { projectId },
      (data) => data.statusHistory,
      mostLooked,
    )) {
      if (healed.length >= limit) break;
      const { subject } = each;
      if (subject === null || !('loadBalancer' in subject) || subject.loadBalancer.id !== id) continue;
      const decision = `${each.to} ${subject.name}`;
      healed.push({ at: each.changedAt, by: 'healing', decision, reason: each.reason ?? '' });
    }
    const all = [...scaled, ...healed].sort((a, b) => Date.parse(b.at) - Date.parse(a.at)).slice(0, limit);
    if (options.json) return printer.json(all);
    if (all.length === 0) return printer.line('nothing was decided yet');
    return printer.table(
      ['AT', 'BY', 'DECISION', 'REASON'],
      all.map(({ at, by, decision, reason }) => [at, by, decision, reason]),
    );
  },
});
