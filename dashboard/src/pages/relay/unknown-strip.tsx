// Unknown outcomes first: each may or may not have happened, blocks further calls on its object, and needs attention.
import { useMemo } from 'react';
import { formatCmpObject } from '../../cmp-object.ts';
import { useEntities } from '../../context.ts';
import { Countdown } from '../../view/countdown.tsx';
import { Icon } from '../../view/icons.tsx';
import { Ago } from '../../view/time.tsx';
import type { RelayControl } from './filters.ts';
import { newestFirst, operationKind } from './kinds/operation.ts';
import { stateMarks } from './marks.tsx';

const shownAtOnce = 4;

export function UnknownStrip({ control }: { readonly control: RelayControl }) {
  const operations = useEntities(operationKind);
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
              onClick={() => change({ open: { type: operationKind.typename, id: operation.id } })}
            >
              <span className="name">{operation.name}</span>
              {operation.cmpObject !== null && <span className="object">{formatCmpObject(operation.cmpObject)}</span>}
              <span className="where">{operation.backend?.name}</span>
              <span className="dim">
                <Ago at={operation.startedAt ?? operation.createdAt} />
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
