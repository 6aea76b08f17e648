// The page of deleted objects: who deleted which and when, and the form that creates it again from its last settings.
import { useCallback } from 'react';
import { DeletedPageDocument, type DeletedPageQuery } from '../../../../generated/dashboard/graphql.ts';
import { useDependencies } from '../../context.ts';
import { containsWords, type Filters, plainFormat } from '../../filters/filters.ts';
import { useFilters } from '../../filters/use-filters.ts';
import { againLink } from '../../forms/links.ts';
import { PageFrame } from '../../frame/page-frame.tsx';
import type { Page } from '../../page.ts';
import { formatType } from '../../view/format.ts';
import { Link } from '../../view/link.tsx';
import { PagedPanel } from '../../view/paged-panel.tsx';
import { Moment } from '../../view/time.tsx';
import { usePageTitle } from '../../view/use-page-title.ts';
import { type Paged, usePaged } from '../../view/use-paged.ts';
import { subjects } from './kinds.ts';

type Deletion = DeletedPageQuery['configurationVersions']['nodes'][number];

export const page: Page = {
  ...subjects,
  read: async () => [],
  keys: { firstList: 'deleted', groups: [{ does: 'Deleted objects', focus: { 1: '[data-list="deleted"]' } }] },
  Content: DeletedPage,
};

const filterFormat = plainFormat([]);
const everyMs = 10_000;
const noNews: readonly string[] = [];

function DeletedPage() {
  const control = useFilters(filterFormat);
  usePageTitle(noNews);
  return (
    <PageFrame control={control} className="deleted" waitingFor="the deleted objects">
      <DeletedPanel filters={control.filters} />
    </PageFrame>
  );
}

function DeletedPanel({ filters: { projectId, text } }: { readonly filters: Filters }) {
  const { requester } = useDependencies();
  const readPage = useCallback(
    async (after: string | null) =>
      (await requester.request(DeletedPageDocument, { projectId, after })).configurationVersions,
    [requester, projectId],
  );
  const paged = usePaged(readPage, undefined, everyMs);
  return (
    <PagedPanel
      name="deleted"
      title="Deleted objects"
      paged={narrowed(paged, text)}
      none={text === '' ? 'Nothing was deleted.' : 'No deleted object matches the filter.'}
      keyOf={({ id }) => id}
      item={(deletion) => <DeletionItem deletion={deletion} />}
    />
  );
}

function DeletionItem({ deletion }: { readonly deletion: Deletion }) {
  const { subjectType, subjectName, changedAt, actor, project } = deletion;
  const what = `${formatType(subjectType)} ${subjectName}`;
  return (
    <>
      <span className="line">
        <b>{what}</b>
        <Link href={againLink(deletion)} aria-label={`Create again: ${what}`}>
          Create again
        </Link>
      </span>
      <span className="line dim">
        <span>
          deleted by {actor?.name ?? 'somebody'} on <Moment at={changedAt} />
          {project !== null && ` in ${project.name}`}
        </span>
      </span>
    </>
  );
}

/** The filter narrows what was read. */
function narrowed(paged: Paged<Deletion>, text: string): Paged<Deletion> {
  if (paged.page === undefined || text === '') return paged;
  const nodes = paged.page.nodes.filter(({ subjectType, subjectName, actor, project }) =>
    containsWords(text, [formatType(subjectType), subjectName, actor?.name, project?.name]),
  );
  return { ...paged, page: { ...paged.page, nodes } };
}
