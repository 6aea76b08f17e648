// HAProxy's table of each node of one load balancer, read every 5 seconds while it is shown.

import { useClock } from '../../../view/clock.ts';
import { LastSaid } from '../../../view/last-said.tsx';
import { Panel } from '../../../view/panel.tsx';
import { ScrollRegion } from '../../../view/scroll-region.tsx';
import { Skeleton } from '../../../view/skeleton.tsx';
import { Age, Time } from '../../../view/time.tsx';
import { rowsOf, type Statistics, type StatisticsRow } from './statistics-rows.ts';
import { useStatistics } from './use-statistics.ts';

/** An older report is the last one of a host that is absent, or of a node that is gone. */
const oldMs = 30_000;

export function StatisticsPanel({ id }: { readonly id: string }) {
  const nodes = useStatistics(id);
  return (
    <Panel name="statistics" title="HAProxy’s statistics" summary="every 5 s">
      <ScrollRegion label="HAProxy’s statistics">
        {nodes === null && <Skeleton />}
        {nodes?.length === 0 && <p className="hint">No nodes yet.</p>}
        {nodes?.map(({ id: nodeId, name, statistics }) => (
          <section key={nodeId} className="node-statistics" aria-label={`Statistics of ${name}`}>
            <h3 className="name">{name}</h3>
            {statistics === null ? (
              <p className="hint">No statistics in the last day.</p>
            ) : (
              <NodeStatistics name={name} statistics={statistics} />
            )}
          </section>
        ))}
      </ScrollRegion>
    </Panel>
  );
}

interface NodeStatisticsProps {
  readonly name: string;
  readonly statistics: Statistics;
}

function NodeStatistics({ name, statistics }: NodeStatisticsProps) {
  const { measuredAt, countedSince, leftOutCount } = statistics;
  const isOld = useClock((nowMs) => nowMs - Date.parse(measuredAt) > oldMs);
  const table = (
    <>
      <p className="dim">
        counted since <Time at={countedSince} />, when HAProxy was started or reloaded
        {leftOutCount > 0 && `; ${leftOutCount} more members are not shown`}
      </p>
      <Table name={name} rows={rowsOf(statistics)} />
    </>
  );
  return isOld ? <LastSaid at={measuredAt}>{table}</LastSaid> : table;
}

function Table({ name, rows }: { readonly name: string; readonly rows: readonly StatisticsRow[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a table that scrolls must be reachable by keyboard.
    <section className="table" tabIndex={0} aria-label={`Table of ${name}`}>
      <table>
        <thead>
          <tr>
            {[
              'Part',
              'Status',
              'Sessions',
              'Rate',
              'Requests',
              'Errors',
              'Retries',
              'Queue',
              'Bytes',
              'Last check',
            ].map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.key} data-kind={row.kind} data-down={row.status?.isDown === true}>
              <th scope="row">
                <span className="dim">{row.kind}</span> {row.name}
              </th>
              <td>
                {row.status !== null && <b data-down={row.status.isDown}>{row.status.word}</b>}
                {row.status?.since != null && (
                  <span className="dim">
                    {' '}
                    for <Age at={row.status.since} />
                  </span>
                )}
              </td>
              <td>{row.sessions}</td>
              <td>{row.rate}</td>
              <td>{row.requests}</td>
              <td data-bad={row.hasErrors}>{row.errors}</td>
              <td>{row.retries}</td>
              <td>{row.queue}</td>
              <td>{row.bytes}</td>
              <td>
                {row.check?.words}
                {row.check?.since != null && (
                  <span className="dim">
                    {' '}
                    for <Age at={row.check.since} />
                  </span>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
