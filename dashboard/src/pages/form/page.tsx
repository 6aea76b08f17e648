// The page of forms: a new object, or one that is changed. The address says which (forms/links.ts).
import { useMemo } from 'react';
import type { FilterControl } from '../../filters/filters.ts';
import { CallForm } from '../../forms/call-form.tsx';
import { ChooseKind } from '../../forms/choose-kind.tsx';
import { EditForm } from '../../forms/edit-form.tsx';
import { askedBy } from '../../forms/form-address.ts';
import { NewForm } from '../../forms/new-form.tsx';
import { PageFrame } from '../../frame/page-frame.tsx';
import type { Page } from '../../page.ts';
import { useSearch } from '../../route.ts';
import { usePageTitle } from '../../view/use-page-title.ts';
import { subjects } from './kinds.ts';
import './form.css';

export const page: Page = {
  ...subjects,
  read: async () => [],
  keys: { firstList: 'none', groups: [] },
  Content: FormPage,
};

const control: FilterControl = {
  ...{ filters: { projectId: null, text: '', open: null }, isFiltering: false, isHidden: true },
  change: () => undefined,
  clear: () => undefined,
};

function FormPage() {
  const search = useSearch();
  const asked = useMemo(() => askedBy(search), [search]);
  usePageTitle(noNews);
  return (
    <PageFrame control={control} className="form" waitingFor="who you are">
      {asked.what === 'choose' && <ChooseKind />}
      {asked.what === 'new' && <NewForm key={search} asked={asked} />}
      {asked.what === 'call' && <CallForm key={search} asked={asked} />}
      {asked.what === 'edit' && <EditForm key={search} kind={asked.kind} id={asked.id} wayBack={asked.wayBack} />}
    </PageFrame>
  );
}

const noNews: readonly string[] = [];
