// The bar on top: where one is, whether it is the present, what is filtered, who one is.
import { useLiveState, useParts } from '../context.ts';
import { isFiltering } from '../filters/filters.ts';
import type { FilterControl } from '../filters/use-filters.ts';
import { LiveBadge } from './live-badge.tsx';

interface HeaderProps {
  readonly control: FilterControl;
  readonly onHelp: () => void;
}

export function Header({ control, onHelp }: HeaderProps) {
  const { session } = useParts();
  const { viewer, backends } = useLiveState();
  const { filters, change, clear } = control;
  const projects = viewer?.projects ?? [];
  const backendId = filters.backendId;
  return (
    <header className="top">
      <h1>
        <img src="/favicon.svg" alt="" width="20" height="20" />
        Tidegate
      </h1>
      <LiveBadge />
      <search className="filters">
        <input
          type="search"
          data-filter=""
          aria-label="Filter"
          placeholder="Filter by name, object, error…  ( / )"
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
        {backendId !== null && (
          <button type="button" className="chip chosen" onClick={() => change({ backendId: null })}>
            <span className="visually-hidden">Remove the filter: backend </span>
            {backends.get(backendId)?.name ?? 'a backend that is gone'} <span aria-hidden="true">×</span>
          </button>
        )}
        {(isFiltering(filters) || filters.found.length > 0) && (
          <button type="button" className="quiet" onClick={clear}>
            Clear
          </button>
        )}
      </search>
      <nav className="links" aria-label="More">
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
