// The page of object storage: the clusters for administrators, and the containers and keys of a project.
import { useCallback } from 'react';
import { openId } from '../../filters/filters.ts';
import { useFilters } from '../../filters/use-filters.ts';
import { PageFrame } from '../../frame/page-frame.tsx';
import type { Page } from '../../page.ts';
import { FeedPanel } from '../../view/feed-panel.tsx';
import { useAreaTitle } from '../../view/use-area-title.ts';
import { ClustersPanel } from './clusters-panel.tsx';
import { ContainerDrawer } from './container-drawer.tsx';
import { filterFormat, type ObjectControl } from './filters.ts';
import { containerType, subjects } from './kinds.ts';
import { OptionsPanel } from './options-panel.tsx';
import { PicturePanel } from './picture/picture-panel.tsx';
import { ProjectPanels } from './project-panels.tsx';
import { poll, readLists } from './reads.ts';
import { RingsPanel } from './rings-panel.tsx';
import { useOptions, useRings } from './use-rings.ts';
import '../../style/path.css';
import './objects.css';

export const page: Page = {
  ...subjects,
  read: readLists,
  poll,
  keys: {
    firstList: 'clusters',
    groups: [
      {
        does: 'Clusters, storage classes, containers, changes, rings',
        focus: {
          1: '[data-list="clusters"]',
          2: '[data-list="options"]',
          3: '[data-list="containers"]',
          4: '[data-list="changes"]',
          5: '[data-list="rings"]',
        },
      },
    ],
  },
  Content: ObjectsPage,
};

function ObjectsPage() {
  const control = useFilters(filterFormat);
  useAreaTitle('objects');
  const options = useOptions();
  const rings = useRings();
  return (
    <PageFrame control={control} className="objects" waitingFor="clusters" drawer={<OpenDrawer control={control} />}>
      <div className="column">
        <ClustersPanel control={control} />
        <OptionsPanel options={options} />
        <RingsPanel rings={rings} />
      </div>
      <div className="column">
        <PicturePanel options={options} rings={rings} control={control} />
        <ProjectPanels control={control} />
        <FeedPanel control={control} />
      </div>
    </PageFrame>
  );
}

function OpenDrawer({ control: { filters, change } }: { readonly control: ObjectControl }) {
  const id = openId(filters, containerType);
  const onClose = useCallback(() => change({ open: null }), [change]);
  return id === null ? null : <ContainerDrawer key={id} id={id} onClose={onClose} />;
}
