// One name: its answer, then the votes on its members, its history, why a client gets its answer, and changes, side by side.
import { type ReactNode, useCallback } from 'react';
import { UptimeOfNameDocument } from '../../../../generated/dashboard/graphql.ts';
import { useEntities, useLiveState } from '../../context.ts';
import { EditLink, HistoryLink } from '../../forms/create-link.tsx';
import type { FeedLine } from '../../live/live-state.ts';
import { ConfirmedAction } from '../../view/confirmed-action.tsx';
import { FeedPanel } from '../../view/feed-panel.tsx';
import { formatWord } from '../../view/format.ts';
import { ProvisioningBadge } from '../../view/provisioning-badge.tsx';
import { NotShown, reasonsOf } from '../../view/shown.tsx';
import { Moment } from '../../view/time.tsx';
import { Uptime } from '../../view/uptime/uptime.tsx';
import { useForbidden } from '../../view/use-forbidden.ts';
import { ViewButtons, viewOf } from '../../view/view-buttons.tsx';
import { useByHand } from './by-hand.tsx';
import { ExplainPanel } from './explain-panel.tsx';
import type { NameControl } from './filters.ts';
import { HistoryPanel } from './history-panel.tsx';
import { memberKind } from './kinds/member.ts';
import { answerOf, type Name, nameKind } from './kinds/name.ts';
import { FrozenBadge, OperatingBadge } from './marks.tsx';
import { MatrixPanel } from './matrix-panel.tsx';
import { PathPanel } from './path/path-panel.tsx';
import { RegionsPanel } from './regions/regions-panel.tsx';
import { useFreeze, useUnfreeze } from './use-actions.ts';
import { type NameDetails, useName } from './use-name.ts';

interface NameViewProps {
  readonly id: string;
  readonly control: NameControl;
}

export function NameView({ id, control }: NameViewProps) {
  const known = useEntities(nameKind).get(id);
  const { feed } = useLiveState();
  const news = feed.find((line) => isNews(id, line))?.id;
  const reading = useName(id, news);
  const { details } = reading;
  const isShown = useIsShown(id, details);
  // The page lists only a bounded number.
  const name = known ?? details;
  const view = viewOf(views, control.filters.view);
  const back = useCallback(() => control.change({ shownId: null, open: null }), [control.change]);
  if (name === null || (known === undefined && reading.isGone))
    return <NotShown what="name" reading={reading} onBack={back} />;
  return (
    <>
      <Head name={name} details={details} onBack={back}>
        <ViewButtons views={views} view={view} onChange={(chosen) => control.change({ view: chosen })} />
      </Head>
      {view === 'regions' && details !== null && <RegionsPanel details={details} />}
      {view === 'path' && details !== null && <PathPanel name={name} details={details} control={control} />}
      {view === 'votes' && (
        <>
          <div className="column">
            {details === null ? (
              <p className="waiting">Loading…</p>
            ) : (
              <MatrixPanel details={details} control={control} />
            )}
            <HistoryPanel id={id} news={news} />
          </div>
          <div className="column">
            <ExplainPanel key={id} fqdn={name.fqdn} news={name.version} />
            <FeedPanel control={control} isShown={isShown} isFolded />
          </div>
        </>
      )}
    </>
  );
}

const views = { votes: 'Votes', path: 'Path of an answer', regions: 'Answers by region' };

interface HeadProps {
  readonly children: ReactNode;
  readonly name: Name;
  readonly details: NameDetails | null;
  readonly onBack: () => void;
}

function Head({ name, details, onBack, children }: HeadProps) {
  const reasons = reasonsOf(name);
  const facts = [
    name.project?.name,
    name.description,
    details === null ? null : `zone ${details.zoneName}`,
    formatWord(name.policy),
    `TTL ${name.ttlSeconds} s`,
    details === null ? null : `none up: ${formatWord(details.noneUp)}`,
  ].filter(Boolean);
  return (
    <section className="shown-head one-row name-head" aria-labelledby="name-title">
      <button type="button" className="quiet" onClick={onBack}>
        ‹ All names
      </button>
      <h2 id="name-title">{name.fqdn}</h2>
      <FrozenBadge name={name} />
      <ProvisioningBadge status={name.provisioningStatus} />
      <OperatingBadge status={name.operatingStatus} />
      <Uptime key={`${name.id} uptime`} document={UptimeOfNameDocument} id={name.id} of={name.fqdn} />
      {children}
      <EditLink kind="Gslb" id={name.id} projectId={name.project?.id} />
      <HistoryLink kind="Gslb" id={name.id} />
      <FreezeAction key={name.id} name={name} />
      <div className="head-facts">
        {reasons !== '' && <strong className="reasons">{reasons}</strong>}
        <code className="answer">{answerOf(name) || 'no answer yet'}</code>
        <span className="dim">{facts.join(' · ')}</span>
        {name.frozenAt !== null && (
          <span className="warning">
            frozen since <Moment at={name.frozenAt} />
            {name.frozenUntil !== null && (
              <>
                {' '}
                until <Moment at={name.frozenUntil} />
              </>
            )}
            {name.frozenReason !== null && `: ${name.frozenReason}`}
          </span>
        )}
      </div>
    </section>
  );
}

function FreezeAction({ name: { id, fqdn, project, frozenAt } }: { readonly name: Name }) {
  const forbidden = useForbidden(project?.id);
  const { control, freeze } = useFreeze(id);
  const { control: releasing, unfreeze } = useUnfreeze(id);
  const { given, fields } = useByHand(frozenAt === null);
  return frozenAt === null ? (
    <ConfirmedAction
      label="Freeze"
      question={`Freeze the answer of ${fqdn}?`}
      forbidden={forbidden}
      control={control}
      fields={fields}
      onConfirm={() => freeze(given())}
    >
      The answer stays unchanged until it is released, even if members fail.
    </ConfirmedAction>
  ) : (
    <ConfirmedAction
      label="Release"
      question={`Release the answer of ${fqdn}?`}
      forbidden={forbidden}
      control={releasing}
      fields={fields}
      onConfirm={() => unfreeze(given())}
    >
      The answer follows its members again at once.
    </ConfirmedAction>
  );
}

/** Changes of the name and of its members. */
function useIsShown(id: string, details: NameDetails | null): (line: FeedLine) => boolean {
  const votes = details?.votes;
  return useCallback(
    (line) => {
      if (line.type === 'note') return true;
      const { subjectType, subjectId } = line.change;
      return subjectType === nameKind.typename ? subjectId === id : votes?.has(subjectId) === true;
    },
    [id, votes],
  );
}

/**
 * Of the name or of any member, which may be a new one of its own. A note, too: after a break in the feed the page starts again from its
 * lists, which have no members.
 */
function isNews(id: string, line: FeedLine): boolean {
  if (line.type === 'note') return true;
  const { subjectType, subjectId } = line.change;
  return subjectType === nameKind.typename ? subjectId === id : subjectType === memberKind.typename;
}
