// Objects that belong to a source, from its earlier runs. A run for a source leaves the objects of other sources alone. With --prune it removes
// objects of the source that the files no longer contain (prune.ts).
import { graphql } from '../../generated/cli/index.ts';
import { sourcePattern, sourceWords } from '../../platform/caller/manner.ts';
import { allAtOnce, chunks } from '../at-once.ts';
import { UsageError } from '../failures.ts';
import type { GraphClient } from '../graph-client.ts';
import { one } from '../option.ts';
import { readAll, readPages } from '../pages.ts';
import { appliedKinds } from './kind-manifest.ts';
import type { ApplyFault } from './manifest.ts';
import { planGone } from './prune.ts';
import type { Step } from './step.ts';

export const sourceOption = one('NAME', 'Owner of the file: new objects belong to this source.', (given, name) => {
  if (sourcePattern.test(given)) return given;
  throw new UsageError(`${name} must have ${sourceWords}`);
});

/** Kinds of whole objects. Their parts have no owner. */
const ownKinds: ReadonlySet<string> = new Set([
  ...['Backend', 'ProjectSubnet', 'TlsCertificate', 'LoadBalancer'],
  ...appliedKinds,
]);

const ownedDocument = graphql(`
  query AppliedObjectsOwned($sources: [String!], $projectId: ID, $first: Int, $after: String) {
    appliedObjects(sources: $sources, projectId: $projectId, first: $first, after: $after) {
      nodes { subjectType subjectId project { id } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);
const ownersDocument = graphql(`
  query AppliedObjectsOwners($subjectIds: [ID!], $first: Int, $after: String) {
    appliedObjects(subjectIds: $subjectIds, first: $first, after: $after) {
      nodes { subjectId source }
      pageInfo { hasNextPage endCursor }
    }
  }
`);
const countDocument = graphql(`
  query AppliedObjectsCount($sources: [String!]) { appliedObjects(sources: $sources, first: 1) { totalCount } }
`);
const projectsDocument = graphql(`
  query AppliedProjects { projects(first: 2) { nodes { id } } }
`);

/** Whether its mutation is sent for the source. */
export function isWhole({ kind, isSourced }: Step): boolean {
  return ownKinds.has(kind) || isSourced === true;
}

interface Owned {
  /** Objects of other sources. */
  readonly faults: readonly ApplyFault[];
  /** Deletions, in the order in which references go before the objects they refer to. */
  readonly deletions: readonly Step[];
  /** Objects of the source in the project. */
  readonly count: number;
  /** Objects of the source outside this run's project. */
  readonly elsewhere: number;
}

export async function planOwned(
  client: GraphClient,
  steps: readonly Step[],
  {
    source,
    projectId,
    prune,
  }: { readonly source: string; readonly projectId: string | undefined; readonly prune: boolean },
): Promise<Owned> {
  const mine = await ownedBy(client, source, projectId);
  const inFile = new Set(steps.flatMap((step) => ownIdOf(step) ?? []));
  const known = new Set(mine.map(({ subjectId }) => subjectId));
  const others = steps.filter((step) => {
    const id = ownIdOf(step);
    return isWhole(step) && id !== undefined && !known.has(id);
  });
  const gone = prune ? mine.filter(({ subjectId }) => !inFile.has(subjectId)) : [];
  return {
    faults: await faultsOf(client, others, source),
    deletions: await planGone(client, gone, inFile),
    count: mine.length,
    elsewhere: prune ? Math.max(0, (await countOf(client, source)) - mine.length) : 0,
  };
}

/** Its id among the objects of sources. Undefined if it does not exist yet. */
function ownIdOf({ id, ownId }: Step): string | undefined {
  return ownId ?? id ?? undefined;
}

/** Count over all projects that the caller may see. */
async function countOf(client: GraphClient, source: string): Promise<number> {
  return (await client.query(countDocument, { sources: [source] })).appliedObjects.totalCount ?? 0;
}

/** Owned objects in the project. Without a project: in the only project that the caller may see, and in the installation. */
async function ownedBy(client: GraphClient, source: string, projectId: string | undefined) {
  const variables = { sources: [source], projectId };
  const all = await readAll(readPages(client, ownedDocument, variables, (data) => data.appliedObjects));
  if (projectId !== undefined) return all;
  const [only, another] = (await client.query(projectsDocument, {})).projects.nodes;
  return all.filter(({ project }) => project === null || (another === undefined && project.id === only?.id));
}

async function faultsOf(client: GraphClient, steps: readonly Step[], source: string): Promise<readonly ApplyFault[]> {
  const found = await allAtOnce(chunks(steps, 100), (some) => {
    const variables = { subjectIds: some.flatMap((step) => ownIdOf(step) ?? []) };
    return readAll(readPages(client, ownersDocument, variables, (data) => data.appliedObjects));
  });
  const owners = new Map(found.flat().map((each) => [each.subjectId, each.source]));
  return steps.flatMap((step) => {
    const { kind, name, line } = step;
    const owner = owners.get(ownIdOf(step) ?? '');
    if (owner === undefined || owner === source) return [];
    const message = `the source ${owner} made it: take it out of one of the two files`;
    return [{ line, document: `${kind} ${name}`, message }];
  });
}

/** A person has to confirm more deletions than this, if they are more than a fifth of the source's objects. */
const fewDeletions = 3;

/** `deletions`: without objects that stay. */
export function deletesMany({ deletions, count }: Pick<Owned, 'deletions' | 'count'>): boolean {
  return deletions.length > Math.max(fewDeletions, count / 5);
}
