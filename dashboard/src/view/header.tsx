// The bar at the top: the page, the live state, the filters, the user.
import type { ReactNode } from 'react';
import { useDependencies, useLiveState } from '../context.ts';
import type { FilterControl } from '../filters/filters.ts';
import { LiveBadge } from './live-badge.tsx';
import { PageLinks } from './page-links.tsx';
import { ZoneButton } from './zone-button.tsx';

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
  return (
    <header className="top">
      <h1>
        <img src="/favicon.svg" alt="" width="20" height="20" />
        <span>Tidegate</span>
      </h1>
      <PageLinks />
      <LiveBadge />
      {control.isHidden !== true && (
        <search className="filters">
          <input
            type="search"
            data-filter=""
            aria-label="Filter"
            placeholder="Filter…  ( / )"
            maxLength={200}
            value={filters.text}
            onChange={(event) => change({ text: event.target.value }, 'replace')}
          />
          {projects.length > 1 && (
            <select
              aria-label="Project"
              value={filters.projectId ?? ''}
              onChange={(event) => change({ projectId: event.target.value || null })}
            >
              <option value="">All projects</option>
              {projects.map(({ project }) => (
                <option key={project.id} value={project.id}>
                  {project.name}
                </option>
              ))}
            </select>
          )}
          {chosen}
          {isFiltering && (
            <button type="button" className="quiet" onClick={clear}>
              Clear
            </button>
          )}
        </search>
      )}
      <div className="links">
        <button type="button" className="quiet" onClick={onSearch} title="Search everything (Ctrl-K)">
          Search
        </button>
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
    </header>
  );
}
