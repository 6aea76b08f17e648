// The page of one container: its folders and objects, to walk through, upload, download, share and delete.
import { useState } from 'react';
import type { ContainerPageQuery } from '../../../../generated/dashboard/graphql.ts';
import { formatCmpObject, linkToCmpObject } from '../../cmp-object.ts';
import { useLiveState } from '../../context.ts';
import { useFilters } from '../../filters/use-filters.ts';
import { EditLink } from '../../forms/create-link.tsx';
import { PageFrame } from '../../frame/page-frame.tsx';
import type { Page } from '../../page.ts';
import { go } from '../../route.ts';
import { Link } from '../../view/link.tsx';
import { isOperator } from '../../view/permissions.ts';
import { Skeleton } from '../../view/skeleton.tsx';
import { Moment } from '../../view/time.tsx';
import { usePageTitle } from '../../view/use-page-title.ts';
import { filterFormat, folderLink, folderOf, foldersTo } from './address.ts';
import { DropZone } from './drop-zone.tsx';
import { FolderPanel } from './folder-panel.tsx';
import { subjects } from './kinds.ts';
import { TransfersPanel } from './transfers-panel.tsx';
import { UploadTools } from './upload-tools.tsx';
import { uploadsOf, useTransfers } from './use-transfers.ts';
import './container.css';

type Container = NonNullable<ContainerPageQuery['objectContainer']>;

export const page: Page = {
  ...subjects,
  read: async () => [],
  keys: {
    firstList: 'objects',
    groups: [{ does: 'Objects, transfers', focus: { 1: '[data-list="objects"]', 2: '[data-list="transfers"]' } }],
  },
  Content: ContainerPage,
};

const noNews: readonly string[] = [];

function ContainerPage() {
  const control = useFilters(filterFormat);
  const { id, prefix } = control.filters;
  usePageTitle(noNews);
  return (
    <PageFrame control={{ ...control, isHidden: true }} className="container" waitingFor="the container">
      {id === null ? <NotFound /> : <Browser key={id} id={id} prefix={prefix} />}
    </PageFrame>
  );
}

function Browser({ id, prefix }: { readonly id: string; readonly prefix: string }) {
  const { viewer } = useLiveState();
  const [container, setContainer] = useState<Container | null | undefined>(undefined);
  const { all, transfers } = useTransfers(id);
  if (container === null) return <NotFound />;
  const folder = folderOf(prefix);
  const forbidden = isOperator(viewer, container?.project.id) ? null : 'Only operators of its project can do this.';
  const upload = (chosen: Parameters<typeof uploadsOf>[0]) => transfers.add(uploadsOf(chosen, folder));
  const stored = all.filter(({ file, state }) => file !== undefined && state === 'done').length;
  return (
    <DropZone where={folder || (container?.name ?? 'the container')} forbidden={forbidden} onFiles={upload}>
      <section className="shown-head" aria-label="Container">
        {container === undefined ? (
          <Skeleton what="the container" />
        ) : (
          <>
            <Crumbs {...{ id, folder }} name={container.name} />
            <ContainerFacts container={container} />
          </>
        )}
      </section>
      <FolderPanel
        key={folder}
        {...{ id, folder, forbidden, transfers, stored }}
        rest={prefix.slice(folder.length)}
        onRead={setContainer}
        tools={
          <UploadTools
            forbidden={forbidden}
            onFiles={upload}
            onFolder={(name) => go(folderLink(id, `${folder}${name}/`))}
          />
        }
      />
      <TransfersPanel all={all} transfers={transfers} />
    </DropZone>
  );
}

interface CrumbsProps {
  readonly id: string;
  readonly name: string;
  readonly folder: string;
}

function Crumbs({ id, name, folder }: CrumbsProps) {
  const steps = [{ name, prefix: '' }, ...foldersTo(folder)];
  return (
    <nav className="crumbs" aria-label="Folders">
      <Link href="/objects">Object storage</Link>
      {steps.map((step, index) => {
        const isLast = index === steps.length - 1;
        return (
          <span key={step.prefix}>
            <span aria-hidden="true">› </span>
            {isLast ? <h2>{step.name}</h2> : <Link href={folderLink(id, step.prefix)}>{step.name}</Link>}
          </span>
        );
      })}
    </nav>
  );
}

function ContainerFacts({
  container: { id, project, option, cmpObject, createdAt },
}: {
  readonly container: Container;
}) {
  return (
    <>
      <span className="dim">
        {project.name} · storage class {option?.name ?? 'not known'} · created <Moment at={createdAt} />
      </span>
      {cmpObject !== null && <Link href={linkToCmpObject(cmpObject)}>{formatCmpObject(cmpObject)}</Link>}
      <span className="badges">
        <EditLink kind="ObjectContainer" id={id} projectId={project.id} word="the container" />
      </span>
    </>
  );
}

function NotFound() {
  return (
    <p className="waiting">
      Not found: deleted, or in none of your projects. <Link href="/objects">All containers</Link>
    </p>
  );
}
