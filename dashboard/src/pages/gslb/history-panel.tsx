// How the verdicts on a name's members changed, newest first, each with every vote that was known then.

import { useCallback, useEffect, useState } from 'react';
import { GslbFlipsDocument, type GslbFlipsQuery } from '../../../../generated/dashboard/graphql.ts';
import { useDependencies } from '../../context.ts';
import { formatDuration, formatWord } from '../../view/format.ts';
import { Panel } from '../../view/panel.tsx';
import { type Failure, Failures, failureOf } from '../../view/refusal.tsx';
import { ScrollRegion } from '../../view/scroll-region.tsx';
import { Skeleton } from '../../view/skeleton.tsx';
import { Time } from '../../view/time.tsx';
import { useReading } from '../../view/use-reading.ts';

type History = NonNullable<GslbFlipsQuery['gslb']>['history'];
type Flip = History['nodes'][number];

const everyMs = 15_000;
/** More are read page by page, up to so many. */
const maxFlips = 500;

export function HistoryPanel({ id, news }: { readonly id: string; readonly news: string | undefined }) {
  const { flips, more, isReading, failure } = useFlips(id, news);
  return (
    <Panel
      name="history"
      title="Verdicts"
      summary={flips === null || flips.length === 0 ? undefined : `newest ${flips.length}`}
    >
      <ScrollRegion label="Changes of verdicts">
        {failure !== null && <Failures failures={[failure]} />}
        {flips === null && failure === null && <Skeleton />}
        {flips?.length === 0 && <p className="hint">No verdict changes yet.</p>}
        <ul className="flips">
          {flips?.map((flip) => (
            <li key={flip.id}>
              <FlipItem flip={flip} />
            </li>
          ))}
        </ul>
        {more !== null && (
          <button type="button" className="more" disabled={isReading} onClick={more}>
            Older
          </button>
        )}
      </ScrollRegion>
    </Panel>
  );
}

function FlipItem({ flip }: { readonly flip: Flip }) {
  const { changedAt, member, region, verdictBefore, verdictAfter, reason, late, ballots } = flip;
  return (
    <details>
      <summary>
        <Time at={changedAt} /> <span className="subject">{member?.name ?? 'a deleted member'}</span>{' '}
        <span className="dim">
          {region !== null && `in ${region} `}
          {wordOf(verdictBefore)} →{' '}
        </span>
        <b data-status={verdictAfter ?? 'NONE'}>{wordOf(verdictAfter)}</b>
        {late && <span className="dim"> (late: not counted)</span>} <span className="reason">{reason}</span>
      </summary>
      <table>
        <thead>
          <tr>
            <th scope="col">Vantage point</th>
            <th scope="col">Vote</th>
            <th scope="col">Age</th>
            <th scope="col">Latency</th>
            <th scope="col">Why</th>
          </tr>
        </thead>
        <tbody>
          {ballots.map((ballot, index) => (
            // A vantage point has a vote by each monitor, in the order in which they were kept.
            // biome-ignore lint/suspicious/noArrayIndexKey: the list never changes.
            <tr key={index}>
              <td>
                {ballot.vantagePointName} <span className="dim">{ballot.region}</span>
              </td>
              <td>
                {wordOf(ballot.verdict)}
                {ballot.count !== 'COUNTED' && <span className="dim"> {formatWord(ballot.count)}</span>}
              </td>
              <td>{ballot.ageMs === null ? '–' : formatDuration(ballot.ageMs)}</td>
              <td>{ballot.latencyMs === null ? '–' : `${ballot.latencyMs} ms`}</td>
              <td>{ballot.message}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

function wordOf(verdict: string | null): string {
  return verdict === null ? 'none' : formatWord(verdict);
}

interface FlipsReading {
  /** Null until they are read. */
  readonly flips: readonly Flip[] | null;
  /** Null if there are no older ones, or enough is shown. */
  readonly more: (() => void) | null;
  readonly isReading: boolean;
  readonly failure: Failure | null;
}

/** The newest are read again; older ones stay as they are. */
function useFlips(id: string, news: string | undefined): FlipsReading {
  const { requester } = useDependencies();
  const read = useCallback(
    async () => (await requester.request(GslbFlipsDocument, { id, after: null })).gslb?.history ?? null,
    [requester, id],
  );
  const { value: newest, failure } = useReading(read, news, everyMs);
  const [older, setOlder] = useState<History | null>(null);
  const [isReading, setReading] = useState(false);
  const [olderFailure, setOlderFailure] = useState<Failure | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another name has another history.
  useEffect(() => setOlder(null), [id]);
  const known = new Map([...(newest?.nodes ?? []), ...(older?.nodes ?? [])].map((flip) => [flip.id, flip]));
  const flips = [...known.values()];
  const end = older?.pageInfo ?? newest?.pageInfo;
  const more = async (): Promise<void> => {
    setReading(true);
    try {
      const after = end?.endCursor ?? null;
      const next = (await requester.request(GslbFlipsDocument, { id, after })).gslb?.history;
      if (next !== undefined)
        // All that is shown now: the newest move on.
        setOlder({ nodes: [...flips, ...next.nodes], pageInfo: next.pageInfo });
      setOlderFailure(null);
    } catch (error) {
      setOlderFailure(failureOf(error));
    }
    setReading(false);
  };
  return {
    flips: newest === undefined ? null : flips,
    more: end?.hasNextPage === true && flips.length < maxFlips ? () => void more() : null,
    isReading,
    failure: failure ?? olderFailure,
  };
}
