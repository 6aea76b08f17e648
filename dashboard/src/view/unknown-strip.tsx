// Unknown outcomes first: each may or may not have happened, holds back further calls on its object, and needs a person.
import { useMemo } from 'react';
import { useLiveState } from '../context.ts';
import type { FilterControl } from '../filters/use-filters.ts';
import { newestFirst } from '../live/live-state.ts';
import { Countdown } from './countdown.tsx';
import { formatCmpObject } from './format.ts';
import { Icon, stateMarks } from './icons.tsx';
import { Age } from './time.tsx';

const shownAtOnce = 4;

export function UnknownStrip({ control }: { readonly control: FilterControl }) {
  const { operations } = useLiveState();
  const { change, filters } = control;
  const unknown = useMemo(
    () => [...operations.values()].filter((operation) => operation.state === 'UNKNOWN').sort(newestFirst),
    [operations],
  );
  if (unknown.length === 0) return null;
  return (
    <section className="strip strip-unknown" aria-labelledby="unknown-title">
      <h2 id="unknown-title">
        <Icon path={stateMarks.UNKNOWN.path} />
        <span className="big">{unknown.length}</span> unknown {unknown.length === 1 ? 'outcome' : 'outcomes'}
      </h2>
      <ul data-list="unknown">
        {unknown.slice(0, shownAtOnce).map((operation) => (
          <li key={operation.id}>
            <button
              type="button"
              data-row={operation.id}
              aria-expanded={filters.open?.id === operation.id}
              onClick={() => change({ open: { type: 'operation', id: operation.id } })}
            >
              <span className="name">{operation.name}</span>
              {operation.cmpObject !== null && <span className="object">{formatCmpObject(operation.cmpObject)}</span>}
              <span className="where">{operation.backend?.name}</span>
              <span className="dim">
                <Age at={operation.sentAt ?? operation.createdAt} /> ago
              </span>
              <Countdown until={operation.quietUntil} before="quiet in " />
              <span className="go">Settle</span>
            </button>
          </li>
        ))}
      </ul>
      {unknown.length > shownAtOnce && (
        <button type="button" className="quiet" onClick={() => change({ states: ['UNKNOWN'] })}>
          Show all {unknown.length}
        </button>
      )}
    </section>
  );
}
