// A minimal page: the backends by name and site. small-page.test.ts adds this folder to the dashboard's pages.
import {
  type SiteBackendFieldsFragment,
  SiteBackendFieldsFragmentDoc,
  SitesBackendsDocument,
} from '../../../../generated/dashboard/graphql.ts';
import { useEntities } from '../../context.ts';
import { containsWords, openId, plainFormat } from '../../filters/filters.ts';
import { useFilters } from '../../filters/use-filters.ts';
import { PageFrame } from '../../frame/page-frame.tsx';
import { readPages } from '../../graph/read-pages.ts';
import type { AnyKind, EntityKind } from '../../live/entity-kind.ts';
import { mergeVersions } from '../../live/merge.ts';
import type { Page } from '../../page.ts';
import { Drawer, Facts } from '../../view/drawer.tsx';
import { FeedPanel } from '../../view/feed-panel.tsx';
import { Panel } from '../../view/panel.tsx';
import { RowList } from '../../view/row-list.tsx';
import { usePageTitle } from '../../view/use-page-title.ts';

const backendKind: EntityKind<SiteBackendFieldsFragment> = {
  typename: 'Backend',
  fragment: SiteBackendFieldsFragmentDoc,
  openParameter: 'show',
  isReadAgain: true,
  merge: (known, news) => mergeVersions(known, news),
  label: ({ name }) => name,
};

const kinds: readonly AnyKind[] = [backendKind];

const filterFormat = plainFormat(kinds);

export const page: Page = {
  kinds,
  async read(requester) {
    const { nodes } = await readPages<SiteBackendFieldsFragment>(
      10,
      null,
      async (after) => (await requester.request(SitesBackendsDocument, { after })).backends,
    );
    return nodes;
  },
  keys: { firstList: 'sites', groups: [{ does: 'Sites', focus: { 1: '[data-list="sites"] [data-row]' } }] },
  Content: SitesPage,
};

function SitesPage() {
  const control = useFilters(filterFormat);
  const { filters, change } = control;
  const backends = useEntities(backendKind);
  const shown = [...backends.values()].filter(({ name, site }) => containsWords(filters.text, [name, site]));
  const id = openId(filters, backendKind);
  const opened = id === null ? undefined : backends.get(id);
  usePageTitle([]);
  return (
    <PageFrame
      control={control}
      className="sites"
      waitingFor="backends"
      drawer={
        opened !== undefined && (
          <Drawer id={opened.id} title={opened.name} onClose={() => change({ open: null })}>
            <Facts facts={[{ name: 'Site', value: opened.site }]} />
          </Drawer>
        )
      }
    >
      <Panel name="sites" title="Sites">
        <div className="scroll">
          <RowList name="sites" label="Backends" items={shown} idOf={(backend) => backend.id} openId={id}>
            {(backend, { isOpen, isTabStop }) => (
              <button
                type="button"
                className="row"
                data-row={backend.id}
                aria-expanded={isOpen}
                tabIndex={isTabStop ? 0 : -1}
                onClick={() => change({ open: { type: backendKind.typename, id: backend.id } })}
              >
                {backend.name} in {backend.site}: {backend.operatingStatus}
              </button>
            )}
          </RowList>
        </div>
      </Panel>
      <FeedPanel control={control} />
    </PageFrame>
  );
}
