// The page of the audit trail: who asked for what, about which object, and with which result.
import { useCallback } from 'react';
import { AuditPageDocument } from '../../../../generated/dashboard/graphql.ts';
import { useDependencies, useLiveState } from '../../context.ts';
import { useFilters } from '../../filters/use-filters.ts';
import { PageFrame } from '../../frame/page-frame.tsx';
import type { Page } from '../../page.ts';
import { PagedPanel } from '../../view/paged-panel.tsx';
import { usePageTitle } from '../../view/use-page-title.ts';
import { usePaged } from '../../view/use-paged.ts';
import { useSettled } from '../../view/use-settled.ts';
import { type Entry, EntryItem, nameOf } from './entry-item.tsx';
import { FilterForm } from './filter-form.tsx';
import { type AuditControl, filterFormat, variablesOf } from './filters.ts';
import { subjects } from './kinds.ts';
import './audit.css';

export const page: Page = {
  ...subjects,
  read: async () => [],
  keys: {
    firstList: 'entries',
    groups: [{ does: 'Who, entries', focus: { w: '[name="who"]', 1: '[data-list="entries"]' } }],
  },
  Content: AuditPage,
};

const everyMs = 10_000;
const noNews: readonly string[] = [];

function AuditPage() {
  const control = useFilters(filterFormat);
  const { viewer } = useLiveState();
  const mayRead = viewer?.admin === true || viewer?.projects.some(({ role }) => role === 'OPERATOR') === true;
  usePageTitle(noNews);
  return (
    <PageFrame control={control} className="audit" waitingFor="the audit trail">
      {mayRead ? (
        <EntriesPanel control={control} />
      ) : (
        <p className="waiting">Only operators see the audit trail, and you are not an operator of any project.</p>
      )}
    </PageFrame>
  );
}

function EntriesPanel({ control }: { readonly control: AuditControl }) {
  const { requester } = useDependencies();
  // As text, so that equal filters are the same.
  const wanted = useSettled(JSON.stringify(variablesOf(control.filters)));
  const readPage = useCallback(
    async (after: string | null) =>
      (
        await requester.request(AuditPageDocument, {
          ...(JSON.parse(wanted) as ReturnType<typeof variablesOf>),
          after,
        })
      ).auditEntries,
    [requester, wanted],
  );
  const paged = usePaged(readPage, undefined, everyMs);
  const names = namesIn(paged.page?.nodes ?? []);
  return (
    <PagedPanel
      name="entries"
      title="Audit trail"
      paged={paged}
      none={control.isFiltering ? 'No entry matches the filters.' : 'No entries yet.'}
      keyOf={({ id }) => id}
      item={(entry) => <EntryItem entry={entry} control={control} names={names} />}
    >
      <FilterForm control={control} names={names} />
    </PagedPanel>
  );
}

/** The names of the objects of these entries, by their ids. */
function namesIn(entries: readonly Entry[]): ReadonlyMap<string, string> {
  return new Map(
    entries.flatMap((entry): [string, string][] => {
      const name = nameOf(entry);
      return entry.subjectId === null || name === null ? [] : [[entry.subjectId, name]];
    }),
  );
}
