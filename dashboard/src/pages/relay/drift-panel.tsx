// Objects that the last verification found changed or missing.
import { useCallback, useMemo } from 'react';
import { useEntities } from '../../context.ts';
import { openId } from '../../filters/filters.ts';
import { NoMatch } from '../../view/empty.tsx';
import { Icon } from '../../view/icons.tsx';
import { Panel } from '../../view/panel.tsx';
import { RowList } from '../../view/row-list.tsx';
import { DriftRow } from './drift-row.tsx';
import { matchesMapping, type RelayControl } from './filters.ts';
import { type DriftResult, driftIn, driftResults, isVerified, mappingKind } from './kinds/mapping.ts';
import { resultMarks } from './marks.tsx';

export function DriftPanel({ control }: { readonly control: RelayControl }) {
  const mappings = useEntities(mappingKind);
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
  const open = useCallback((id: string) => change({ open: { type: mappingKind.typename, id } }), [change]);
  const toggle = (result: DriftResult): void =>
    change({
      found: filters.found.includes(result)
        ? filters.found.filter((each) => each !== result)
        : driftResults.filter((each) => each === result || filters.found.includes(each)),
    });
  // An empty panel is hidden, but the filter that hides its content must remain visible.
  if (all.length === 0 && filters.found.length === 0) {
    const summary = [...mappings.values()].some(isVerified)
      ? 'none: all verified objects match'
      : 'unknown: no object has been verified yet';
    return <Panel name="drift" title="Drift" summary={summary} />;
  }
  return (
    <Panel
      name="drift"
      title="Drift"
      summary={`${here.length} not as ${here.length === 1 ? 'it' : 'they'} should be`}
      tools={
        <fieldset className="states">
          <legend className="visually-hidden">Show only these results</legend>
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
            openId={openId(filters, mappingKind)}
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
