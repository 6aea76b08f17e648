// The bar at the top: the page, the live state, the filters, the user.
import type { ReactNode } from 'react';
import { useDependencies, useLiveState } from '../context.ts';
import type { FilterControl } from '../filters/filters.ts';
import { pathOf, useRoute } from '../route.ts';
import { Link } from './link.tsx';
import { LiveBadge } from './live-badge.tsx';
import { usePresentPages } from './use-present-pages.ts';
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
        Tidegate
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
      <nav className="links" aria-label="More">
        <button type="button" className="quiet" onClick={onSearch} title="Search everything (Ctrl-K)">
          Search
        </button>
        <ZoneButton />
        <a href="/graphiql">GraphiQL</a>
        <button type="button" className="quiet" onClick={onHelp} aria-label="Keys">
          <kbd>?</kbd>
        </button>
        <span className="who" title={viewer?.admin ? `${viewer.name}, administrator` : viewer?.name}>
          {viewer?.name}
        </span>
        <button type="button" className="quiet" onClick={() => void session.logout()}>
          Log out
        </button>
      </nav>
    </header>
  );
}

/** A single page needs no list. */
function PageLinks() {
  const { pages } = useDependencies();
  const open = useRoute(pages);
  const present = usePresentPages();
  if (pages.length === 1) return null;
  return (
    <nav className="pages" aria-label="Pages">
      {present.map((page) => (
        <Link key={page.name} href={pathOf(page)} aria-current={page === open ? 'page' : undefined}>
          {page.title}
        </Link>
      ))}
    </nav>
  );
}
