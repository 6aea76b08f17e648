// The data of one project: its containers, read from a cluster, and its access keys, which its operators see.

import { type ReactNode, useCallback } from 'react';
import { ObjectsAccessKeysDocument, ObjectsContainersDocument } from '../../../../generated/dashboard/graphql.ts';
import { useDependencies, useLiveState } from '../../context.ts';
import { CreateLink, EditLink } from '../../forms/create-link.tsx';
import { RequestError } from '../../graph/request.ts';
import { Panel } from '../../view/panel.tsx';
import { ScrollRegion } from '../../view/scroll-region.tsx';
import { Skeleton } from '../../view/skeleton.tsx';
import { Time } from '../../view/time.tsx';
import { useRepeated } from '../../view/use-repeated.ts';
import type { ObjectControl } from './filters.ts';
import { containerType } from './kinds.ts';

const everyMs = 5_000;

/** Of the chosen project, else of the first one. */
export function ProjectPanels({ control }: { readonly control: ObjectControl }) {
  const { filters } = control;
  const { viewer } = useLiveState();
  const project = viewer?.projects.find(({ project: { id } }) => id === filters.projectId) ?? viewer?.projects[0];
  const projectId = filters.projectId ?? project?.project.id;
  if (viewer === null || projectId === undefined) return null;
  const isOperator = viewer.admin || project?.role === 'OPERATOR';
  const name = project?.project.id === projectId ? project.project.name : 'the project';
  const shown = { projectId, chosenId: filters.projectId ?? undefined, project: name };
  return (
    <>
      <ContainersPanel key={`containers ${projectId}`} control={control} {...shown} />
      {isOperator && <AccessKeysPanel key={`keys ${projectId}`} {...shown} />}
    </>
  );
}

interface OfProject {
  readonly projectId: string;
  /** Undefined: no person chose the project, so a form must ask for it. */
  readonly chosenId: string | undefined;
  readonly project: string;
}

/** Undefined nodes: with the reason why they are not known. */
interface Found<Node> {
  readonly nodes?: readonly Node[];
  readonly more?: boolean;
  readonly reason?: string;
}

interface ContainersPanelProps extends OfProject {
  readonly control: ObjectControl;
}

function ContainersPanel({ control: { change }, projectId, chosenId, project }: ContainersPanelProps) {
  const { requester } = useDependencies();
  const read = useCallback(
    () =>
      told(async () => {
        const { objectContainers: found } = await requester.request(ObjectsContainersDocument, { projectId });
        return found === null
          ? { reason: 'no cluster answers' }
          : { nodes: found.nodes, more: found.pageInfo.hasNextPage };
      }),
    [requester, projectId],
  );
  const found = useRepeated(read, everyMs);
  return (
    <ListPanel
      name="containers"
      title={`Containers of ${project}`}
      found={found}
      none="None yet."
      tools={
        <CreateLink kind="ObjectContainer" presets={{ projectId: chosenId }} projectId={chosenId}>
          Create
        </CreateLink>
      }
    >
      {({ id, name, option, createdAt, cmpObject }) => (
        <li key={id} data-container={name}>
          <span className="line">
            <button
              type="button"
              className="link name"
              data-row={id}
              onClick={() => change({ open: { type: containerType.typename, id } })}
            >
              {name}
            </button>
            <span className="dim">
              option {option?.name ?? 'not known'} · <Time at={createdAt} />
              {cmpObject !== null && ` · ${cmpObject.type}/${cmpObject.externalId}`}
            </span>
          </span>
        </li>
      )}
    </ListPanel>
  );
}

function AccessKeysPanel({ projectId, chosenId, project }: OfProject) {
  const { requester } = useDependencies();
  const read = useCallback(
    () =>
      told(async () => {
        const { objectAccessKeys: found } = await requester.request(ObjectsAccessKeysDocument, { projectId });
        return { nodes: found.nodes, more: found.pageInfo.hasNextPage };
      }),
    [requester, projectId],
  );
  const found = useRepeated(read, everyMs);
  return (
    <ListPanel
      name="accesskeys"
      title={`Access keys of ${project}`}
      found={found}
      none="None yet."
      tools={
        <CreateLink kind="ObjectAccessKey" presets={{ projectId: chosenId }} projectId={chosenId}>
          Create
        </CreateLink>
      }
    >
      {({ id, accessKeyId, name, canWrite, forUrls, revokedAt }) => (
        <li key={id} data-key={accessKeyId}>
          <span className="line">
            <code className="name">{accessKeyId}</code>
            <span className="dim">
              {name} · {canWrite ? 'reads and writes' : 'reads'}
              {forUrls && ' · signs URLs'}
              {revokedAt !== null && ' · revoked'}
            </span>
            {revokedAt === null && (
              <EditLink kind="ObjectAccessKey" id={id} projectId={projectId} about={accessKeyId} />
            )}
          </span>
        </li>
      )}
    </ListPanel>
  );
}

interface ListPanelProps<Node> {
  readonly name: string;
  readonly title: string;
  readonly found: Found<Node> | null;
  readonly none: string;
  readonly tools: ReactNode;
  readonly children: (node: Node) => ReactNode;
}

function ListPanel<Node>({ name, title, found, none, tools, children }: ListPanelProps<Node>) {
  const { nodes, more, reason } = found ?? {};
  return (
    <Panel
      name={name}
      title={title}
      summary={nodes && `${nodes.length}${more === true ? ' and more' : ''}`}
      tools={tools}
    >
      <ScrollRegion list={name} label={title}>
        {found === null && <Skeleton />}
        {reason !== undefined && <p className="hint message">Not known: {reason}</p>}
        {nodes?.length === 0 && <p className="hint">{none}</p>}
        <ul className="stored">{nodes?.map(children)}</ul>
      </ScrollRegion>
    </Panel>
  );
}

/** A refusal is shown; after any other failure the last value stays. */
async function told<Node>(read: () => Promise<Found<Node>>): Promise<Found<Node>> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof RequestError) return { reason: error.message };
    throw error;
  }
}
