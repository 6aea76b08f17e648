// The page of people: who there is, who may do what in which project, and the API tokens of programs.
import { useCallback } from 'react';
import { useLiveState } from '../../context.ts';
import { useFilters } from '../../filters/use-filters.ts';
import { PageFrame } from '../../frame/page-frame.tsx';
import type { Page } from '../../page.ts';
import { FeedPanel } from '../../view/feed-panel.tsx';
import { usePageTitle } from '../../view/use-page-title.ts';
import { filterFormat, type PeopleControl } from './filters.ts';
import { projectType, subjects, tokenType, userType } from './kinds.ts';
import { ProjectDrawer } from './project-drawer.tsx';
import { ProjectsPanel } from './projects-panel.tsx';
import { SessionsPanel } from './sessions-panel.tsx';
import { TokenDrawer } from './token-drawer.tsx';
import { TokensPanel } from './tokens-panel.tsx';
import { UserDrawer } from './user-drawer.tsx';
import { UsersPanel } from './users-panel.tsx';
import './people.css';

export const page: Page = {
  ...subjects,
  read: async () => [],
  keys: {
    firstList: 'projects',
    groups: [
      {
        does: 'Users, projects, tokens, changes, your sessions',
        focus: {
          1: '[data-list="users"]',
          2: '[data-list="projects"]',
          3: '[data-list="tokens"]',
          4: '[data-list="changes"]',
          5: '[data-list="sessions"]',
        },
      },
    ],
  },
  Content: PeoplePage,
};

const noNews: readonly string[] = [];

function PeoplePage() {
  const control = useFilters(filterFormat);
  const { viewer } = useLiveState();
  const readsTokens = viewer?.admin === true || viewer?.projects.some(({ role }) => role === 'OPERATOR') === true;
  usePageTitle(noNews);
  return (
    <PageFrame
      control={control}
      className="people"
      waitingFor="people and projects"
      drawer={<OpenDrawer control={control} />}
    >
      <div className="column">
        {viewer?.admin === true && <UsersPanel control={control} />}
        <ProjectsPanel control={control} />
      </div>
      <div className="column">
        {readsTokens && <TokensPanel control={control} />}
        <SessionsPanel />
        <FeedPanel control={control} />
      </div>
    </PageFrame>
  );
}

function OpenDrawer({ control: { filters, change } }: { readonly control: PeopleControl }) {
  const onClose = useCallback(() => change({ open: null }), [change]);
  switch (filters.open?.type) {
    case userType.typename:
      return <UserDrawer id={filters.open.id} onClose={onClose} />;
    case projectType.typename:
      return <ProjectDrawer id={filters.open.id} onClose={onClose} />;
    case tokenType.typename:
      return <TokenDrawer id={filters.open.id} onClose={onClose} />;
    default:
      return null;
  }
}
