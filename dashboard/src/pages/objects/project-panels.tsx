// The data of one project: its containers, read from a cluster, and its access keys, which its operators see.

import { type ReactNode, useCallback, useState } from 'react';
import { ObjectsAccessKeysDocument, ObjectsContainersDocument } from '../../../../generated/dashboard/graphql.ts';
import { formatCmpObject, linkToCmpObject } from '../../cmp-object.ts';
import { useDependencies, useLiveState } from '../../context.ts';
import { CreateLink, EditLink } from '../../forms/create-link.tsx';
import { RequestError } from '../../graph/request.ts';
import { linkTo } from '../../links.ts';
import { Link } from '../../view/link.tsx';
import { Panel } from '../../view/panel.tsx';
import { ScrollRegion } from '../../view/scroll-region.tsx';
import { Skeleton } from '../../view/skeleton.tsx';
import { Table } from '../../view/table.tsx';
import { Time } from '../../view/time.tsx';
import { useRepeated } from '../../view/use-repeated.ts';
import type { ObjectControl } from './filters.ts';

const everyMs = 5_000;

interface ShownProject {
  readonly projectId: string;
  /** Undefined: no person chose the project, so a form must ask for it. */
  readonly chosenId: string | undefined;
  readonly project: string;
  readonly isOperator: boolean;
}

/** The chosen project, else the first one. Null without any. */
export function useShownProject({ filters }: ObjectControl): ShownProject | null {
  const { viewer } = useLiveState();
  const project = viewer?.projects.find(({ project: { id } }) => id === filters.projectId) ?? viewer?.projects[0];
  const projectId = filters.projectId ?? project?.project.id;
  if (viewer === null || projectId === undefined) return null;
  const name = project?.project.id === projectId ? project.project.name : 'the project';
  const isOperator = viewer.admin || project?.role === 'OPERATOR';
  return { projectId, chosenId: filters.projectId ?? undefined, project: name, isOperator };
}

/** Undefined nodes: with the reason why they are not known. */
interface Found<Node> {
  readonly nodes?: readonly Node[];
  readonly more?: boolean;
  readonly reason?: string;
}

export function ContainersPanel({ projectId, chosenId, project }: ShownProject) {
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
      {(nodes) => (
        <Table columns={['Name', 'Storage class', 'CMP object', 'Created']}>
          {nodes.map(({ id, name, option, createdAt, cmpObject }) => (
            <tr key={id} data-container={name}>
              <td>
                <Link className="name" data-row={id} href={linkTo('ObjectContainer', id) ?? '/objects'}>
                  {name}
                </Link>
              </td>
              <td>{option?.name ?? 'not known'}</td>
              <td>
                {cmpObject !== null && <Link href={linkToCmpObject(cmpObject)}>{formatCmpObject(cmpObject)}</Link>}
              </td>
              <td className="dim">
                <Time at={createdAt} />
              </td>
            </tr>
          ))}
        </Table>
      )}
    </ListPanel>
  );
}

/** Keys that sign URLs are made by uploads, downloads and share links, not by people: they are shown on request. */
export function AccessKeysPanel({ projectId, chosenId, project }: ShownProject) {
  const { requester } = useDependencies();
  const [areAllShown, showAll] = useState(false);
  const read = useCallback(
    () =>
      told(async () => {
        const { objectAccessKeys: found } = await requester.request(ObjectsAccessKeysDocument, { projectId });
        return { nodes: found.nodes, more: found.pageInfo.hasNextPage };
      }),
    [requester, projectId],
  );
  const found = useRepeated(read, everyMs);
  const forUrls = found?.nodes?.filter((key) => key.forUrls).length ?? 0;
  const shown = found?.nodes?.filter((key) => areAllShown || !key.forUrls);
  return (
    <ListPanel
      name="accesskeys"
      title={`Access keys of ${project}`}
      found={found && { ...found, ...(shown && { nodes: shown }) }}
      none="None yet."
      tools={
        <CreateLink kind="ObjectAccessKey" presets={{ projectId: chosenId }} projectId={chosenId}>
          Create
        </CreateLink>
      }
      after={
        forUrls > 0 && (
          <label className="choice hidden-keys">
            <input type="checkbox" checked={areAllShown} onChange={({ target }) => showAll(target.checked)} />
            Show {forUrls === 1 ? 'the key' : `the ${forUrls} keys`} of signed URLs
          </label>
        )
      }
    >
      {(nodes) => (
        <ul className="stored">
          {nodes.map(({ id, accessKeyId, name, canWrite, forUrls, revokedAt }) => (
            <li key={id} data-key={accessKeyId}>
              <span className="line">
                <span className="name">{name}</span>
                <code>{accessKeyId}</code>
                <span className="dim">
                  {canWrite ? 'reads and writes' : 'reads'}
                  {forUrls && ' · signs URLs'}
                  {revokedAt !== null && ' · revoked'}
                </span>
                {revokedAt === null && (
                  <EditLink kind="ObjectAccessKey" id={id} projectId={projectId} about={accessKeyId} />
                )}
              </span>
            </li>
          ))}
        </ul>
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
  /** Below the list. */
  readonly after?: ReactNode;
  /** The list, if it is not empty. */
  readonly children: (nodes: readonly Node[]) => ReactNode;
}

function ListPanel<Node>({ name, title, found, none, tools, after, children }: ListPanelProps<Node>) {
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
        {nodes !== undefined && nodes.length > 0 && children(nodes)}
        {after}
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
