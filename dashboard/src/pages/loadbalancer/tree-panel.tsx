// The status tree of one load balancer: listeners with their policies, then pools with their members, those in trouble first.
import { memo, useCallback, useMemo } from 'react';
import { useEntities } from '../../context.ts';
import { openId } from '../../filters/filters.ts';
import { CreateLink, EditLink } from '../../forms/create-link.tsx';
import { useClock } from '../../view/clock.ts';
import { formatWord } from '../../view/format.ts';
import { Panel } from '../../view/panel.tsx';
import { ProvisioningBadge } from '../../view/provisioning-badge.tsx';
import { RowList } from '../../view/row-list.tsx';
import { ScrollRegion } from '../../view/scroll-region.tsx';
import { type BalancerControl, matchesMember } from './filters.ts';
import {
  addressOf,
  drainOf,
  isInTrouble,
  type Member,
  memberKind,
  nameOf,
  reasonsNotToServe,
  serves,
} from './kinds/member.ts';
import { DrainEnd, OperatingBadge } from './marks.tsx';
import type { Tree } from './use-tree.ts';

interface TreePanelProps {
  readonly tree: Tree;
  readonly control: BalancerControl;
}

const collator = new Intl.Collator('en', { numeric: true });

export function TreePanel({ tree, control }: TreePanelProps) {
  const members = useEntities(memberKind);
  const { filters, change } = control;
  const byPool = useMemo(() => {
    const pools = new Map<string, Member[]>(tree.pools.map(({ id }) => [id, []]));
    for (const member of members.values()) pools.get(member.pool.id)?.push(member);
    for (const list of pools.values())
      list.sort((a, b) => rank(a) - rank(b) || collator.compare(nameOf(a), nameOf(b)) || (a.id < b.id ? -1 : 1));
    return pools;
  }, [members, tree]);
  const open = useCallback((id: string) => change({ open: { type: memberKind.typename, id } }), [change]);
  const poolNames = new Map(tree.pools.map((pool) => [pool.id, poolName(pool)]));
  const all = [...byPool.values()].reduce((sum, { length }) => sum + length, 0);
  return (
    <Panel
      name="tree"
      title="Configuration"
      summary={[
        counted(tree.listeners.length, 'listener'),
        counted(tree.pools.length, 'pool'),
        counted(all, 'member'),
      ].join(' · ')}
      tools={
        <>
          <CreateLink kind="Listener" presets={{ loadBalancerId: tree.id }} projectId={tree.project?.id}>
            Add listener
          </CreateLink>
          <CreateLink kind="Pool" presets={{ loadBalancerId: tree.id }} projectId={tree.project?.id}>
            Add pool
          </CreateLink>
        </>
      }
    >
      <ScrollRegion label="Status of listeners, pools and members" className="scroll tree">
        <ul aria-label="Listeners">
          {tree.listeners.map((listener) => (
            <ListenerItem key={listener.id} listener={listener} poolNames={poolNames} projectId={tree.project?.id} />
          ))}
        </ul>
        {tree.listeners.length === 0 && <p className="hint">No listener: the load balancer accepts no requests.</p>}
        {tree.pools.map((pool) => {
          const own = byPool.get(pool.id) ?? [];
          const shown = filters.text === '' ? own : own.filter((member) => matchesMember(filters.text, member));
          return (
            <section key={pool.id} className="pool" aria-label={`Pool ${poolName(pool)}`}>
              <PoolHead pool={pool} members={own} shown={shown.length} projectId={tree.project?.id} />
              <RowList
                name="members"
                label={`Members of ${poolName(pool)}, those in trouble first`}
                items={shown}
                idOf={({ id }) => id}
                openId={openId(filters, memberKind)}
              >
                {(member, row) => <MemberRow member={member} {...row} onOpen={open} />}
              </RowList>
            </section>
          );
        })}
      </ScrollRegion>
    </Panel>
  );
}

interface ListenerItemProps {
  readonly listener: Tree['listeners'][number];
  readonly poolNames: ReadonlyMap<string, string>;
  readonly projectId: string | undefined;
}

function ListenerItem({ listener, poolNames, projectId }: ListenerItemProps) {
  const { name, protocol, port, enabled, defaultPool, l7Policies, operatingReason } = listener;
  return (
    <li className="part listener">
      <span className="line">
        <span className="name">
          {formatProtocol(protocol)} {port}
        </span>
        {name !== '' && <span className="dim">{name}</span>}
        <span className="dim">
          {defaultPool === null ? 'without a pool' : `→ ${poolNames.get(defaultPool.id) ?? 'a pool'}`}
        </span>
        <span className="badges">
          {!enabled && <span className="dim">disabled</span>}
          <ProvisioningBadge status={listener.provisioningStatus} />
          <OperatingBadge status={listener.operatingStatus} />
          <EditLink kind="Listener" id={listener.id} projectId={projectId} about={`the listener at port ${port}`} />
        </span>
      </span>
      {operatingReason !== null && <span className="message">{operatingReason}</span>}
      {l7Policies.length > 0 && (
        <ol aria-label={`Policies of port ${port}`}>
          {l7Policies.map((policy) => (
            <li key={policy.id} className="dim">
              {policy.position}. {policy.name} {formatWord(policy.action)}
              {policy.redirectPool !== null && ` → ${poolNames.get(policy.redirectPool.id) ?? 'a pool'}`}
              {!policy.enabled && ' (disabled)'}
            </li>
          ))}
        </ol>
      )}
    </li>
  );
}

interface PoolHeadProps {
  readonly pool: Tree['pools'][number];
  /** All that it has. */
  readonly members: readonly Member[];
  readonly shown: number;
  readonly projectId: string | undefined;
}

function PoolHead({ pool, members, shown, projectId }: PoolHeadProps) {
  const { memberProtocol, algorithm, enabled, healthMonitor, operatingReason } = pool;
  const serving = members.filter(serves).length;
  const reasons = useClock((nowMs) => reasonsNotToServe(members, nowMs));
  return (
    <header className="part">
      <span className="line">
        <h3 className="name">{poolName(pool)}</h3>
        <span className="dim">
          {formatProtocol(memberProtocol)}, {formatWord(algorithm)},{' '}
          {healthMonitor === null ? 'not checked' : `checked by ${formatProtocol(healthMonitor.monitorType)}`}
        </span>
        <span className="badges">
          {!enabled && <span className="dim">disabled</span>}
          <ProvisioningBadge status={pool.provisioningStatus} />
          <OperatingBadge status={pool.operatingStatus} />
          <CreateLink kind="PoolMember" presets={{ poolId: pool.id }} projectId={projectId}>
            Add member
          </CreateLink>
          <EditLink kind="Pool" id={pool.id} projectId={projectId} about={poolName(pool)} />
        </span>
      </span>
      {operatingReason !== null && <span className="message">{operatingReason}</span>}
      <span className="dim">
        {serving} of {members.length} members serve{reasons !== '' && ` (${reasons})`}
        {shown < members.length && `; ${shown} match the filter`}
      </span>
    </header>
  );
}

interface MemberRowProps {
  readonly member: Member;
  readonly isOpen: boolean;
  readonly isTabStop: boolean;
  readonly onOpen: (id: string) => void;
}

const MemberRow = memo(function MemberRow({ member, isOpen, isTabStop, onOpen }: MemberRowProps) {
  const { id, weight, backup, enabled, drainUntil, operatingReason } = member;
  const drain = useClock((nowMs) => drainOf(member, nowMs) ?? '');
  return (
    <button
      type="button"
      className="row member-row"
      data-row={id}
      aria-expanded={isOpen}
      tabIndex={isTabStop ? 0 : -1}
      onClick={() => onOpen(id)}
    >
      <span className="name" title={addressOf(member)}>
        {nameOf(member)}
      </span>
      <span className="fact dim" title={operatingReason ?? undefined}>
        {drainUntil !== null ? (
          <DrainEnd member={member} />
        ) : (
          (operatingReason ?? (member.name === '' ? null : addressOf(member)))
        )}
      </span>
      <span className="dim">
        {backup ? 'backup, ' : ''}weight {weight}
      </span>
      <span className="badges">
        <ProvisioningBadge status={member.provisioningStatus} />
        {enabled ? (
          <OperatingBadge status={member.operatingStatus} isDrained={drain === 'drained'} />
        ) : (
          <span className="dim">disabled</span>
        )}
      </span>
    </button>
  );
});

function rank(member: Member): number {
  if (isInTrouble(member)) return 0;
  return member.operatingStatus === 'ONLINE' || member.operatingStatus === 'NO_MONITOR' ? 2 : 1;
}

function poolName({ name, id }: { readonly name: string; readonly id: string }): string {
  return name === '' ? `pool ${id.slice(-6)}` : name;
}

/** TERMINATED_HTTPS → HTTPS, decrypted here. */
function formatProtocol(protocol: string): string {
  return protocol === 'TERMINATED_HTTPS' ? 'HTTPS (ended here)' : protocol.replaceAll('_', '-');
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
