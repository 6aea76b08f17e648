// The votes on the members of a name: a row for each member, a column for each vantage point.
import { useCallback, useMemo } from 'react';
import type { GslbBallotCount } from '../../../../generated/dashboard/graphql.ts';
import { useEntities } from '../../context.ts';
import { openId } from '../../filters/filters.ts';
import { formatDuration } from '../../view/format.ts';
import { Icon } from '../../view/icons.tsx';
import { Panel } from '../../view/panel.tsx';
import { ScrollRegion } from '../../view/scroll-region.tsx';
import { matchesMember, type NameControl } from './filters.ts';
import { type Member, memberKind, placeOf } from './kinds/member.ts';
import { AdminBadge, OperatingBadge, votePath } from './marks.tsx';
import type { NameDetails, Pool, Vote } from './use-name.ts';

interface MatrixPanelProps {
  readonly details: NameDetails;
  readonly control: NameControl;
}

export function MatrixPanel({ details, control }: MatrixPanelProps) {
  const members = useEntities(memberKind);
  const { filters, change } = control;
  const points = useMemo(() => pointsOf(details), [details]);
  const open = useCallback((id: string) => change({ open: { type: memberKind.typename, id } }), [change]);
  const opened = openId(filters, memberKind);
  const own = details.pools.flatMap(({ memberIds }) => memberIds.flatMap((id) => members.get(id) ?? []));
  const serving = own.filter((member) => member.serving).length;
  return (
    <Panel
      name="matrix"
      title="Votes"
      summary={`${serving} of ${own.length} members serve · ${points.length} vantage points`}
    >
      <ScrollRegion label="Votes of vantage points on members">
        {own.length > 0 && !canChange(details) && (
          <p className="warning no-votes" role="status">
            <strong>No verdict can change:</strong> no checker of these members is connected. These are the last
            verdicts; the answer stays unchanged.
          </p>
        )}
        <table className="matrix" data-list="members">
          <thead>
            <tr>
              <th scope="col">Member</th>
              <th scope="col">Verdict</th>
              {points.map(({ name, region }) => (
                <th key={name} scope="col" className="point">
                  {name}
                  {region !== name && <span className="dim"> {region}</span>}
                </th>
              ))}
            </tr>
          </thead>
          {details.pools.map((pool) => (
            <tbody key={pool.id}>
              <tr>
                <th scope="rowgroup" colSpan={2 + points.length} className="pool">
                  {pool.name} <span className="dim">{describe(pool)}</span>
                </th>
              </tr>
              {pool.memberIds
                .flatMap((id) => members.get(id) ?? [])
                .filter((member) => filters.text === '' || matchesMember(filters.text, member))
                .map((member) => (
                  <MemberRow
                    key={member.id}
                    member={member}
                    votes={details.votes.get(member.id) ?? []}
                    points={points}
                    isOpen={member.id === opened}
                    onOpen={open}
                  />
                ))}
            </tbody>
          ))}
        </table>
        {own.length === 0 && <p className="hint">No members: there is nothing to answer with.</p>}
      </ScrollRegion>
    </Panel>
  );
}

interface MemberRowProps {
  readonly member: Member;
  readonly votes: readonly Vote[];
  readonly points: readonly Point[];
  readonly isOpen: boolean;
  readonly onOpen: (id: string) => void;
}

function MemberRow({ member, votes, points, isOpen, onOpen }: MemberRowProps) {
  const { id, name, adminState, operatingStatus, undecidedAt, serving } = member;
  return (
    <tr data-serving={serving}>
      <th scope="row">
        <button
          type="button"
          className="link"
          data-row={id}
          aria-expanded={isOpen}
          title={placeOf(member)}
          onClick={() => onOpen(id)}
        >
          {name}
        </button>{' '}
        <span className="dim">{placeOf(member)}</span>
      </th>
      <td>
        <AdminBadge state={adminState} /> <OperatingBadge status={operatingStatus} />
        {undecidedAt !== null && <span className="dim"> undecided</span>}
      </td>
      {points.map((point) => (
        <td key={point.name} className="point">
          {votes
            .filter(({ vantagePointName }) => vantagePointName === point.name)
            .map((vote) => (
              <VoteMark key={vote.monitor?.id ?? ''} vote={vote} />
            ))}
        </td>
      ))}
    </tr>
  );
}

function VoteMark({ vote }: { readonly vote: Vote }) {
  const { verdict, count, dissents } = vote;
  const words = wordsOf(vote);
  return (
    <span
      className={`vote ${verdict === 'UP' ? 'tone-good' : verdict === 'DOWN' ? 'tone-bad' : 'tone-calm'}`}
      data-verdict={verdict ?? 'NONE'}
      data-count={count}
      data-dissents={dissents}
      title={words}
    >
      <Icon path={votePath(verdict)} />
      <span className="visually-hidden">{words}</span>
    </span>
  );
}

/** Why a vote does not count. */
const countWords: Readonly<Record<Exclude<GslbBallotCount, 'COUNTED'>, string>> = {
  ...{ ABSENT: 'checker not connected', ABSTAINED: 'checker abstains', NO_VERDICT: 'no result yet' },
  ...{ NO_PLUGIN: 'plugin missing on the checker', STALE: 'too old', LATE: 'too late' },
};

function wordsOf({ monitor, verdict, count, dissents, ageMs, latencyMs, message }: Vote): string {
  return [
    monitor?.name,
    verdict === null ? 'no verdict' : verdict,
    count === 'COUNTED' ? null : `does not count: ${countWords[count]}`,
    dissents ? 'against the verdict' : null,
    ageMs === null ? null : `${formatDuration(ageMs)} old`,
    latencyMs === null ? null : `${latencyMs} ms`,
    message,
  ]
    .filter(Boolean)
    .join(', ');
}

/** False if its members are checked, and no vote counts because every checker is absent or its votes are too old. */
function canChange({ votes }: Pick<NameDetails, 'votes'>): boolean {
  const all = [...votes.values()].flat();
  return all.length === 0 || !all.every(({ count }) => count === 'ABSENT' || count === 'STALE');
}

interface Point {
  readonly name: string;
  readonly region: string;
}

function pointsOf({ votes }: NameDetails): readonly Point[] {
  const found = new Map<string, Point>();
  for (const { vantagePointName: name, region } of [...votes.values()].flat()) found.set(name, { name, region });
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function describe({ minUp, answerScope, monitors, isFallback }: Pool): string {
  const checked =
    monitors.length === 0
      ? 'not checked'
      : `checked by ${monitors.map(({ name, checkType }) => `${name} (${checkType})`).join(', ')}`;
  return [
    isFallback ? 'last resort' : `answers with ${minUp} or more`,
    answerScope === 'REGION' ? 'verdict by region' : null,
    checked,
  ]
    .filter(Boolean)
    .join(' · ');
}
