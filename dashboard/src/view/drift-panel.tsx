// Objects that the last look found changed or gone behind the relay's back.
import { useCallback, useMemo } from 'react';
import { useLiveState } from '../context.ts';
import { matchesMapping } from '../filters/filters.ts';
import type { FilterControl } from '../filters/use-filters.ts';
import { type DriftResult, driftIn, driftResults } from '../live/drift.ts';
import { DriftRow } from './drift-row.tsx';
import { NoMatch } from './empty.tsx';
import { Icon, resultMarks } from './icons.tsx';
import { Panel } from './panel.tsx';
import { RowList } from './row-list.tsx';

export function DriftPanel({ control }: { readonly control: FilterControl }) {
  const { mappings } = useLiveState();
  const { filters, change } = control;
  const all = useMemo(() => driftIn(mappings), [mappings]);
  const here = useMemo(() => all.filter((mapping) => matchesMapping(filters, mapping)), [all, filters]);
  const shown = useMemo(
    () =>
      here.filter(
        ({ lastVerification }) => filters.found.length === 0 || filters.found.includes(lastVerification.result),
      ),
    [here, filters.found],
  );
  const open = useCallback((id: string) => change({ open: { type: 'mapping', id } }), [change]);
  const toggle = (result: DriftResult): void =>
    change({
      found: filters.found.includes(result)
        ? filters.found.filter((each) => each !== result)
        : driftResults.filter((each) => each === result || filters.found.includes(each)),
    });
  // Nothing to see takes no room, but the filter that hides it must stay within reach.
  if (all.length === 0 && filters.found.length === 0)
    return <Panel name="drift" title="Drift" summary="none: all that was looked at is as it should be" />;
  return (
    <Panel
      name="drift"
      title="Drift"
      summary={`${here.length} not as ${here.length === 1 ? 'it' : 'they'} should be`}
      tools={
        <fieldset className="states">
          <legend className="visually-hidden">Show only what was found so</legend>
          {driftResults.map((result) => (
            <button
              type="button"
              key={result}
              className={`chip tone-${resultMarks[result].tone}`}
              aria-pressed={filters.found.includes(result)}
              onClick={() => toggle(result)}
            >
              <Icon path={resultMarks[result].path} />
              {result.toLowerCase()}
              <span className="count">
                {here.filter(({ lastVerification }) => lastVerification.result === result).length}
              </span>
            </button>
          ))}
        </fieldset>
      }
    >
      <div className="scroll">
        {shown.length > 0 ? (
          <RowList
            name="drift"
            label="Drifted objects, missing ones first"
            items={shown}
            idOf={(mapping) => mapping.id}
            openId={filters.open?.type === 'mapping' ? filters.open.id : null}
          >
            {(mapping, row) => <DriftRow mapping={mapping} {...row} onOpen={open} />}
          </RowList>
        ) : (
          <NoMatch what="drifted object" onClear={control.clear} />
        )}
      </div>
    </Panel>
  );
}
