// The page of object storage: the containers and keys of a project first, then the clusters, for administrators.
import { useFilters } from '../../filters/use-filters.ts';
import { PageFrame } from '../../frame/page-frame.tsx';
import type { Page } from '../../page.ts';
import { FeedPanel } from '../../view/feed-panel.tsx';
import { useAreaTitle } from '../../view/use-area-title.ts';
import { ClustersPanel } from './clusters-panel.tsx';
import { filterFormat } from './filters.ts';
import { subjects } from './kinds.ts';
import { OptionsPanel } from './options-panel.tsx';
import { PicturePanel } from './picture/picture-panel.tsx';
import { AccessKeysPanel, ContainersPanel, useShownProject } from './project-panels.tsx';
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
    firstList: 'containers',
    groups: [
      {
        does: 'Containers, clusters, storage classes, changes, rings',
        focus: {
          1: '[data-list="containers"]',
          2: '[data-list="clusters"]',
          3: '[data-list="options"]',
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
  const shown = useShownProject(control);
  return (
    <PageFrame control={control} className="objects" waitingFor="clusters">
      <div className="column">
        {shown !== null && <ContainersPanel key={`containers ${shown.projectId}`} {...shown} />}
        <ClustersPanel control={control} />
        <RingsPanel rings={rings} />
      </div>
      <div className="column">
        {shown?.isOperator === true && <AccessKeysPanel key={`keys ${shown.projectId}`} {...shown} />}
        <OptionsPanel options={options} />
        <PicturePanel options={options} rings={rings} control={control} />
        <FeedPanel control={control} />
      </div>
    </PageFrame>
  );
}
