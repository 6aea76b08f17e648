// Removes objects of a source that its files no longer contain: they are deleted. A user is disabled, because the audit trail names users. A
// setting returns to its default. Objects that remain have a reason.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../generated/cli/index.ts';
import { registry } from '../../generated/kinds/registry.ts';
import { isObject, type JsonObject } from '../../platform/values/json.ts';
import { namingSelection } from '../../schema/kinds/documents.ts';
import type { Kind } from '../../schema/kinds/kind.ts';
import { allAtOnce } from '../at-once.ts';
import type { GraphClient } from '../graph-client.ts';
import { kindOf, listChildren, nameOf, readObject, wordsOf } from '../kinds/find-object.ts';
import { readAll, readPages } from '../pages.ts';
import { inputHas, notApplied } from './kind-manifest.ts';
import { endOfSetting, identityOfSetting, isSetting, ownIdOfPolicy, ownIdOfSetting } from './settings.ts';
import type { Step } from './step.ts';

/** An object of the source. */
interface OwnedRow {
  readonly subjectType: string;
  readonly subjectId: string;
  readonly project: { readonly id: string } | null;
}

const containerDocument = graphql(`
  query AppliedContainer($id: ID!) { objectContainer(id: $id) { id name objects(first: 1) { totalCount } } }
`);

const policiesDocument = graphql(`
  query AppliedPolicies($projectId: ID, $first: Int, $after: String) {
    loadBalancers(projectId: $projectId, first: $first, after: $after) {
      nodes { id name autoscaling { id } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

const order = Object.keys(registry.kinds);

/**
 * In the order in which references go before the objects they refer to. Leaves out objects that were deleted by hand. `inFile`: ids of the files'
 * objects. Sources know containers by another id.
 */
export async function planGone(
  client: GraphClient,
  gone: readonly OwnedRow[],
  inFile: ReadonlySet<string>,
): Promise<readonly Step[]> {
  const byType = Map.groupBy(gone, ({ subjectType }) => subjectType);
  const steps: Step[] = [];
  for (const [type, rows] of byType) steps.push(...(await stepsOf(client, type, rows, inFile)));
  return steps.sort((a, b) => order.indexOf(b.kind) - order.indexOf(a.kind));
}

async function stepsOf(
  client: GraphClient,
  type: string,
  rows: readonly OwnedRow[],
  inFile: ReadonlySet<string>,
): Promise<readonly Step[]> {
  const kind = registry.kinds[type];
  if (kind === undefined) return rows.map(({ subjectId }) => stays(type, subjectId, 'files have no such kind'));
  if (isSetting(kind)) return settingSteps(client, kind, rows);
  if (type === 'AutoscalingPolicy') return policySteps(client, rows);
  const steps = await allAtOnce(rows, async ({ subjectId }) => {
    if (type === 'ObjectContainer') return containerStep(client, subjectId, inFile);
    return objectStep(client, kind, subjectId);
  });
  return steps.flatMap((step) => step ?? []);
}

/** Undefined if it is gone, or has already ended. */
async function objectStep(client: GraphClient, kind: Kind, id: string): Promise<Step | undefined> {
  const { type, actions } = kind;
  const isUser = type === 'User';
  const selection = `${namingSelection(registry, kind)} version ${isUser ? 'enabled' : ''}`;
  const object = await readObject(client, kind, id, selection);
  if (object === null || object.enabled === false) return undefined;
  const name = placedName(kind, object);
  const expected = (input: JsonObject) => ({ id, expectedVersion: object.version ?? null, ...input });
  if (isUser && actions.update !== undefined)
    return {
      ...ending(type, name, id),
      ...{ action: 'disable', request: { mutation: actions.update.mutation, input: expected({ enabled: false }) } },
    };
  if (notApplied(type) !== undefined) return stays(type, name, `no file can have it: ${byHand(kind, name)}`, id);
  if (actions.create === undefined)
    return stays(type, name, `a source only keeps the record of a ${wordsOf(kind)}, which a machine makes`, id);
  if (actions.delete === undefined) return stays(type, name, `a ${wordsOf(kind)} can't be deleted`, id);
  const { mutation } = actions.delete;
  const input = inputHas(actions.delete, 'expectedVersion') ? expected({}) : { id };
  return { ...ending(type, name, id), action: 'delete', request: { mutation, input } };
}

function byHand({ noun, actions }: Kind, name: string): string {
  const verb = ['delete', 'revoke'].find((each) => actions[each] !== undefined);
  return verb === undefined ? 'nothing ends it' : `"tidegate ${noun} ${verb} ${name}" ends it`;
}

/** The name with its parent: `web/east`. */
function placedName(kind: Kind, object: JsonObject): string {
  const parent = kind.parent === undefined ? undefined : object[kind.parent.link];
  const within = isObject(parent) && 'name' in parent ? `${String(parent.name)}/` : '';
  return `${within}${nameOf(kind, object)}`;
}

async function containerStep(
  client: GraphClient,
  subjectId: string,
  inFile: ReadonlySet<string>,
): Promise<Step | undefined> {
  const { objectContainer: container } = await client.query(containerDocument, { id: subjectId });
  if (container === null || inFile.has(container.id)) return undefined;
  const { id, name, objects } = container;
  const count = objects === null ? 0 : (objects.totalCount ?? 'more than 100');
  const note = `it has ${count} object${count === 1 ? '' : 's'}: a run is refused until they are deleted`;
  return {
    ...{ ...ending('ObjectContainer', name, id), ...(count === 0 ? {} : { note }) },
    ...{ action: 'delete', request: { mutation: 'objectContainerDelete', input: { id } } },
  };
}

async function settingSteps(client: GraphClient, kind: Kind, rows: readonly OwnedRow[]): Promise<readonly Step[]> {
  const byProject = Map.groupBy(rows, ({ project }) => project?.id ?? '');
  byProject.delete('');
  const steps = await allAtOnce(byProject, async ([projectId, own]) => {
    const ids = new Set(own.map(({ subjectId }) => subjectId));
    const project = await readObject(client, kindOf('Project'), projectId, 'id name');
    const shown = await listChildren(client, kind, projectId);
    return shown.flatMap((each): readonly Step[] => {
      const identity = identityOfSetting(kind, projectId, each);
      const ownId = ownIdOfSetting(kind, identity);
      if (ownId === undefined || !ids.has(ownId)) return [];
      const name = `${String(project?.name ?? projectId)}/${nameOf(kind, each)}`;
      const { action, request } = endOfSetting(kind, identity);
      if (request === undefined) return [stays(kind.type, name, `a ${wordsOf(kind)} has no default`)];
      // It may be set and ended many times.
      return [{ ...ending(kind.type, name, null), action, ownId, request: { ...request, seen: randomUUID() } }];
    });
  });
  return steps.flat();
}

/** Policies with documents of their own. */
async function policySteps(client: GraphClient, rows: readonly OwnedRow[]): Promise<readonly Step[]> {
  const byProject = Map.groupBy(rows, ({ project }) => project?.id ?? '');
  byProject.delete('');
  const steps = await allAtOnce(byProject, async ([projectId, own]) => {
    const ids = new Set(own.map(({ subjectId }) => subjectId));
    const all = await readAll(readPages(client, policiesDocument, { projectId }, (data) => data.loadBalancers));
    return all.flatMap(({ id, name, autoscaling }): readonly Step[] => {
      const ownId = ownIdOfPolicy(projectId, id);
      if (autoscaling === null || ownId === undefined || !ids.has(ownId)) return [];
      const request = { mutation: 'autoscalingPolicyDelete', input: { loadBalancerId: id }, seen: randomUUID() };
      return [{ ...ending('AutoscalingPolicy', name, null), action: 'delete', ownId, isSourced: true, request }];
    });
  });
  return steps.flat();
}

function ending(kind: string, name: string, id: string | null): Omit<Step, 'action' | 'request'> {
  return { kind, name, line: 0, changes: [], id, secrets: [], lineOf: () => 0 };
}

function stays(kind: string, name: string, why: string, id: string | null = null): Step {
  return { ...ending(kind, name, id), action: 'keep', note: `stays: ${why}` };
}
