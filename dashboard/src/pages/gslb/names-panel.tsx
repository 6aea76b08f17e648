// All names with their answers, names in trouble first.
import { memo, useCallback, useMemo } from 'react';
import { useEntities, useLiveState } from '../../context.ts';
import { CreateLink } from '../../forms/create-link.tsx';
import { hrefOf } from '../../route.ts';
import { Beats } from '../../view/beats.tsx';
import { NoMatch } from '../../view/empty.tsx';
import { formatWord } from '../../view/format.ts';
import { Panel } from '../../view/panel.tsx';
import { ProvisioningBadge } from '../../view/provisioning-badge.tsx';
import { RowHeads } from '../../view/row-heads.tsx';
import { RowList } from '../../view/row-list.tsx';
import { countsOf, reasonsOf } from '../../view/shown.tsx';
import { Age } from '../../view/time.tsx';
import { describeSlot } from '../../view/uptime/uptime-words.ts';
import { matchesName, type NameControl } from './filters.ts';
import { answerOf, type Name, nameKind } from './kinds/name.ts';
import { FrozenBadge, OperatingBadge } from './marks.tsx';
import { maxPages } from './reads.ts';
import { type Hours, useHours } from './use-hours.ts';

const collator = new Intl.Collator('en', { numeric: true });
const maxNames = 100 * maxPages;

export function NamesPanel({ control }: { readonly control: NameControl }) {
  const { cursor } = useLiveState();
  const names = useEntities(nameKind);
  const hours = useHours();
  const { filters, change } = control;
  const shown = useMemo(
    () =>
      [...names.values()]
        .filter((name) => matchesName(filters, name))
        .sort((a, b) => rank(a) - rank(b) || collator.compare(a.fqdn, b.fqdn)),
    [names, filters],
  );
  const open = useCallback((id: string) => change({ shownId: id, open: null }), [change]);
  return (
    <Panel
      name="names"
      title="Names"
      summary={countsOf(shown.map(({ operatingStatus }) => operatingStatus ?? 'without a verdict'))}
      tools={
        <>
          <CreateLink kind="Gslb" look="primary">
            Create name
          </CreateLink>
          <CreateLink kind="GslbPool" look="plain">
            Create pool
          </CreateLink>
          <CreateLink kind="GslbMonitor" look="plain">
            Create monitor
          </CreateLink>
        </>
      }
    >
      {shown.length > 0 && <RowHeads of="name" heads={['Last 24 hours', 'Policy, TTL', 'Since']} />}
      <div className="scroll">
        {shown.length > 0 && (
          <RowList name="names" label="Names, those in trouble first" items={shown} idOf={({ id }) => id} openId={null}>
            {(name, { isTabStop }) => (
              <NameRow name={name} hours={hours?.get(name.id)} isTabStop={isTabStop} onOpen={open} />
            )}
          </RowList>
        )}
        {shown.length === 0 &&
          cursor !== null &&
          (names.size === 0 ? <NoNames /> : <NoMatch what="name" onClear={control.clear} />)}
        {names.size >= maxNames && <p className="hint">This page shows {maxNames} names.</p>}
      </div>
    </Panel>
  );
}

interface NameRowProps {
  readonly name: Name;
  /** Undefined until they are read. */
  readonly hours: Hours | undefined;
  readonly isTabStop: boolean;
  readonly onOpen: (id: string) => void;
}

const NameRow = memo(function NameRow({ name, hours, isTabStop, onOpen }: NameRowProps) {
  const reasons = reasonsOf(name);
  const answer = answerOf(name);
  return (
    <button
      type="button"
      className="row one-line name-row"
      data-row={name.id}
      data-state={name.operatingStatus}
      tabIndex={isTabStop ? 0 : -1}
      onClick={() => onOpen(name.id)}
    >
      <span className="line">
        <span className="name" title={name.fqdn}>
          {name.fqdn}
        </span>
        <span className="dim">{name.project?.name}</span>
        <span className="badges">
          <FrozenBadge name={name} />
          <ProvisioningBadge status={name.provisioningStatus} />
          <OperatingBadge status={name.operatingStatus} />
        </span>
        <code className="fact answer" title={answer}>
          {answer || 'no answer yet'}
        </code>
        {reasons !== '' && (
          <span className="fact" title={reasons}>
            {reasons}
          </span>
        )}
      </span>
      <span className="trend">
        {hours !== undefined && <Beats slots={hours.slots} label="Last 24 hours" describe={describeSlot} />}
      </span>
      <span className="figure">
        {formatWord(name.policy)}, {name.ttlSeconds} s
      </span>
      <span className="figure since dim">
        {hours?.statusSince == null ? (
          ''
        ) : (
          <>
            <span className="visually-hidden">for </span>
            <Age at={hours.statusSince} />
          </>
        )}
      </span>
    </button>
  );
});

function rank({ operatingStatus, provisioningStatus, frozenAt }: Name): number {
  if (operatingStatus === 'OFFLINE' || operatingStatus === 'ERROR') return 0;
  if (provisioningStatus === 'ERROR') return 1;
  if (operatingStatus === 'DEGRADED') return 2;
  if (frozenAt !== null) return 3;
  return provisioningStatus === 'ACTIVE' && operatingStatus !== 'UNKNOWN' ? 5 : 4;
}

function NoNames() {
  return (
    <div className="empty">
      <h3>No names yet</h3>
      <p>
        Create a pool with <code>gslbPoolCreate</code> and a name with <code>gslbCreate</code> in{' '}
        <a href={hrefOf('/graphiql')}>GraphiQL</a>.
      </p>
    </div>
  );
}
