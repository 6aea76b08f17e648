// The operations that match the filters, newest first, with a button for each state.
import { useCallback, useEffect, useMemo } from 'react';
import { useEntities, useLiveState, usePage } from '../../context.ts';
import { openId } from '../../filters/filters.ts';
import { NoMatch } from '../../view/empty.tsx';
import { Icon } from '../../view/icons.tsx';
import { Panel } from '../../view/panel.tsx';
import { RowList } from '../../view/row-list.tsx';
import { NoOperations } from './empty.tsx';
import { isFiltering, matchesPlace, matchesServerFilters, matchesText, type RelayControl } from './filters.ts';
import { backendKind } from './kinds/backend.ts';
import { maxOperations, newestFirst, type OperationState, operationKind, operationStates } from './kinds/operation.ts';
import { stateMarks } from './marks.tsx';
import { OperationRow } from './operation-row.tsx';
import type { OperationCount } from './reads.ts';
import { useOlderOperations } from './use-older-operations.ts';
import { useOperationCounts } from './use-operation-counts.ts';

export function OperationsPanel({ control }: { readonly control: RelayControl }) {
  const { store } = usePage();
  const { cursor } = useLiveState();
  const operations = useEntities(operationKind);
  const backends = useEntities(backendKind);
  const { filters, change } = control;
  const older = useOlderOperations(filters);
  const counts = useOperationCounts(filters, operations);

  useEffect(() => {
    store.prefer(
      operationKind,
      (operation) => matchesServerFilters(filters, operation) && matchesText(filters.text, operation),
    );
  }, [store, filters]);

  const here = useMemo(
    () =>
      [...operations.values()].filter(
        (operation) => matchesPlace(filters, operation) && matchesText(filters.text, operation),
      ),
    [operations, filters],
  );
  const shown = useMemo(
    () => here.filter((operation) => matchesServerFilters(filters, operation)).sort(newestFirst),
    [here, filters],
  );
  const open = useCallback((id: string) => change({ open: { type: operationKind.typename, id } }), [change]);

  // Of a search by text only matching ones are kept, and these first.
  const isFull = (filters.text === '' ? operations.size : here.length) >= maxOperations;
  const isPart = isFull || older.hasMore;
  const countOf = (state: OperationState): OperationCount => {
    const known = here.filter((operation) => operation.state === state).length;
    // Of a state that the filter excludes, older ones are not read.
    if (!isPart && (filters.states.length === 0 || filters.states.includes(state)))
      return { count: known, complete: true };
    const { count, complete } = counts.get(state) ?? { count: 0, complete: false };
    return { count: Math.max(known, count), complete };
  };
  const all = totalOf((filters.states.length === 0 ? operationStates : filters.states).map(countOf));

  return (
    <Panel name="operations" title="Operations" summary={`${shown.length} shown of ${countText(all)}`}>
      <StateChips control={control} countOf={countOf} />
      <div className="scroll">
        {shown.length > 0 && (
          <RowList
            name="operations"
            label="Operations, newest first"
            items={shown}
            idOf={(operation) => operation.id}
            openId={openId(filters, operationKind)}
          >
            {(operation, row) => <OperationRow operation={operation} {...row} onOpen={open} />}
          </RowList>
        )}
        {shown.length === 0 &&
          cursor !== null &&
          !older.isReading &&
          (isFiltering(filters) ? (
            <NoMatch what={older.hasMore ? 'operation loaded' : 'operation'} onClear={control.clear} />
          ) : (
            <NoOperations hasBackends={backends.size > 0} />
          ))}
        {older.hasMore && !isFull && (
          <button type="button" className="more" disabled={older.isReading} onClick={older.readMore}>
            {older.isReading ? 'Loading…' : filters.text === '' ? 'Show older' : 'Search older'}
          </button>
        )}
        {older.hasMore && isFull && (
          <p className="hint">This page keeps {maxOperations} operations. Filter to see older ones.</p>
        )}
      </div>
    </Panel>
  );
}

interface StateChipsProps {
  readonly control: RelayControl;
  readonly countOf: (state: OperationState) => OperationCount;
}

function StateChips({ control: { filters, change }, countOf }: StateChipsProps) {
  const isOn = (state: OperationState): boolean => filters.states.includes(state);
  /** Those without operations say nothing, unless one is chosen. */
  const isShown = (state: OperationState): boolean => isOn(state) || countOf(state).count > 0;
  const toggle = (state: OperationState): void =>
    change({ states: operationStates.filter((each) => (each === state ? !isOn(each) : isOn(each))) });
  return (
    <fieldset className="states">
      <legend className="visually-hidden">Show only these states</legend>
      {operationStates.filter(isShown).map((state) => (
        <button
          type="button"
          key={state}
          className={`chip tone-${stateMarks[state].tone}`}
          aria-pressed={isOn(state)}
          onClick={() => toggle(state)}
        >
          <Icon path={stateMarks[state].path} />
          {state.toLowerCase()}
          <span className="count">{countText(countOf(state))}</span>
        </button>
      ))}
    </fieldset>
  );
}

function totalOf(counts: readonly OperationCount[]): OperationCount {
  return {
    count: counts.reduce((sum, { count }) => sum + count, 0),
    complete: counts.every(({ complete }) => complete),
  };
}

function countText({ count, complete }: OperationCount): string {
  return `${count}${complete ? '' : '+'}`;
}
