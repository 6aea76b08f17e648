// Objects that belong to a source: those of its earlier runs. A run for a source leaves what another source made alone, and with --prune deletes
// whole objects that it made and that the file no longer has.
import { graphql } from '../../generated/cli/index.ts';
import { registry } from '../../generated/kinds/registry.ts';
import { sourcePattern, sourceWords } from '../../platform/edge/manner.ts';
import { namingSelection } from '../../schema/kinds/documents.ts';
import { allAtOnce, chunks } from '../at-once.ts';
import { UsageError } from '../failures.ts';
import type { GraphClient } from '../graph-client.ts';
import { kindOf, nameOf, readObject } from '../kinds/find-object.ts';
import { one } from '../option.ts';
import { readAll, readPages } from '../pages.ts';
import { appliedKinds, inputHas } from './kind-manifest.ts';
import type { ApplyFault } from './manifest.ts';
import type { Step } from './step.ts';

export const sourceOption = one('NAME', 'Who keeps the file: new objects belong to this source.', (given, name) => {
  if (sourcePattern.test(given)) return given;
  throw new UsageError(`${name} must have ${sourceWords}`);
});

/** Kinds of whole objects: their parts belong to nobody. */
const ownKinds: ReadonlySet<string> = new Set([
  ...['Backend', 'ProjectSubnet', 'TlsCertificate', 'LoadBalancer'],
  ...appliedKinds,
]);
const order = Object.keys(registry.kinds);

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
const projectsDocument = graphql(`
  query AppliedProjects { projects(first: 2) { nodes { id } } }
`);

/** Whether its mutation is sent for the source. */
export function isWhole({ kind }: Step): boolean {
  return ownKinds.has(kind);
}

interface Owned {
  /** Objects of other sources. */
  readonly faults: readonly ApplyFault[];
  /** Deletions, in the order in which nothing is deleted before what refers to it. */
  readonly deletions: readonly Step[];
  /** Objects of the source in the project. */
  readonly count: number;
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
  const inFile = new Set(steps.flatMap(({ id }) => id ?? []));
  const known = new Set(mine.map(({ subjectId }) => subjectId));
  const others = steps.filter((step) => isWhole(step) && step.id !== null && !known.has(step.id));
  const gone = prune ? mine.filter(({ subjectId }) => !inFile.has(subjectId)) : [];
  return {
    faults: await faultsOf(client, others, source),
    deletions: await deletionsOf(client, gone),
    count: mine.length,
  };
}

/** In the project; without one, in the only project that the caller sees, and of the installation. */
async function ownedBy(client: GraphClient, source: string, projectId: string | undefined) {
  const variables = { sources: [source], projectId };
  const all = await readAll(readPages(client, ownedDocument, variables, (data) => data.appliedObjects));
  if (projectId !== undefined) return all;
  const [only, another] = (await client.query(projectsDocument, {})).projects.nodes;
  return all.filter(({ project }) => project === null || (another === undefined && project.id === only?.id));
}

async function faultsOf(client: GraphClient, steps: readonly Step[], source: string): Promise<readonly ApplyFault[]> {
  const found = await allAtOnce(chunks(steps, 100), (some) => {
    const variables = { subjectIds: some.flatMap(({ id }) => id ?? []) };
    return readAll(readPages(client, ownersDocument, variables, (data) => data.appliedObjects));
  });
  const owners = new Map(found.flat().map((each) => [each.subjectId, each.source]));
  return steps.flatMap(({ kind, name, id, line }) => {
    const owner = owners.get(id ?? '');
    if (owner === undefined || owner === source) return [];
    const message = `the source ${owner} made it: take it out of one of the two files`;
    return [{ line, document: `${kind} ${name}`, message }];
  });
}

/** What was deleted by hand is left out, and so are kinds that can't be deleted. */
async function deletionsOf(
  client: GraphClient,
  gone: readonly { readonly subjectType: string; readonly subjectId: string }[],
): Promise<readonly Step[]> {
  const deletable = gone.filter(({ subjectType }) => registry.kinds[subjectType]?.actions.delete !== undefined);
  const steps = await allAtOnce(deletable, async ({ subjectType, subjectId }): Promise<readonly Step[]> => {
    const kind = kindOf(subjectType);
    const { delete: deletion } = kind.actions;
    const object = await readObject(client, kind, subjectId, `${namingSelection(registry, kind)} version`);
    if (object === null || deletion === undefined) return [];
    const version = inputHas(deletion, 'expectedVersion') ? { expectedVersion: object.version ?? null } : {};
    const parent = kind.parent === undefined ? undefined : object[kind.parent.link];
    const within = typeof parent === 'object' && parent !== null && 'name' in parent ? `${String(parent.name)}/` : '';
    return [
      {
        ...{ kind: subjectType, name: `${within}${nameOf(kind, object)}`, line: 0, action: 'delete', changes: [] },
        ...{ id: subjectId, secrets: [], lineOf: () => 0 },
        request: { mutation: deletion.mutation, input: { id: subjectId, ...version } },
      },
    ];
  });
  return steps.flat().sort((a, b) => order.indexOf(b.kind) - order.indexOf(a.kind));
}

/** More than these, and more than a fifth of the objects of the source, are deleted only if somebody says so. */
const fewDeletions = 3;

export function deletesMany({ deletions, count }: Pick<Owned, 'deletions' | 'count'>): boolean {
  return deletions.length > Math.max(fewDeletions, count / 5);
}
