// The bar at the top: the page, the live state, the filters, the user.
import type { ReactNode } from 'react';
import { useDependencies, useLiveState } from '../context.ts';
import type { FilterControl } from '../filters/filters.ts';
import { hrefOf } from '../route.ts';
import { Icon } from './icons.tsx';
import { LiveBadge } from './live-badge.tsx';
import { PageLinks } from './page-links.tsx';
import { useNarrow } from './use-narrow.ts';
import { ZoneButton } from './zone-button.tsx';

const magnifier = 'M11 7a4 4 0 1 1-8 0 4 4 0 0 1 8 0M10 10l3.5 3.5';

interface HeaderProps {
  readonly control: FilterControl;
  /** The page's own filters that are set. */
  readonly chosen: ReactNode;
  readonly onHelp: () => void;
  readonly onSearch: () => void;
}

export function Header({ control, chosen, onHelp, onSearch }: HeaderProps) {
  const { session } = useDependencies();
  const { viewer } = useLiveState();
  const { filters, isFiltering, change, clear } = control;
  const projects = viewer?.projects ?? [];
  const isNarrow = useNarrow();
  const project = projects.length > 1 && control.isHidden !== true && (
    <select
      aria-label="Project"
      value={filters.projectId ?? ''}
      onChange={(event) => change({ projectId: event.target.value || null })}
    >
      <option value="">All projects</option>
      {projects.map(({ project: { id, name } }) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </select>
  );
  const links = (
    <div className="links">
      <ZoneButton />
      <button type="button" className="quiet" onClick={onHelp} aria-label="Keys">
        <kbd>?</kbd>
      </button>
      <span className="who" title={viewer?.admin ? `${viewer.name}, administrator` : viewer?.name}>
        {viewer?.name}
      </span>
      <button type="button" className="quiet" onClick={() => void session.logout()}>
        Log out
      </button>
    </div>
  );
  return (
    <header className="top">
      <h1>
        <img src={hrefOf('/favicon.svg')} alt="" width="20" height="20" />
        <span>Tidegate</span>
      </h1>
      <PageLinks isNarrow={isNarrow}>
        {isNarrow && project}
        {isNarrow && links}
      </PageLinks>
      <LiveBadge />
      <search className="filters">
        <SearchBox control={control} onSearch={onSearch} />
        {!isNarrow && project}
        {chosen}
        {control.isHidden !== true && isFiltering && (
          <button type="button" className="quiet" onClick={clear}>
            Clear
          </button>
        )}
      </search>
      {!isNarrow && links}
    </header>
  );
}

/** One box: typing filters the page, Ctrl-K or its button searches everything. */
function SearchBox({ control, onSearch }: Pick<HeaderProps, 'control' | 'onSearch'>) {
  const { filters, change } = control;
  return (
    <div className="search-box">
      {control.isHidden !== true && (
        <input
          type="search"
          data-filter=""
          aria-label="Filter"
          placeholder="Filter this page  /"
          maxLength={200}
          value={filters.text}
          onChange={(event) => change({ text: event.target.value }, 'replace')}
        />
      )}
      <button type="button" title="Search everything (Ctrl-K)" onClick={onSearch}>
        <span className={control.isHidden === true ? 'search-word' : 'visually-hidden'}>Search everything</span>
        <Icon path={magnifier} />
        <kbd>Ctrl K</kbd>
      </button>
    </div>
  );
}
