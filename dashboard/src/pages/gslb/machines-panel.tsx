// Our own name servers and the checkers, silent ones first, with the age of their data. Only administrators see them.

import type { ReactNode } from 'react';
import { useLiveState } from '../../context.ts';
import { useClock } from '../../view/clock.ts';
import { formatAge, formatDuration, oldMs } from '../../view/format.ts';
import { LastSaid } from '../../view/last-said.tsx';
import { Panel } from '../../view/panel.tsx';
import { ScrollRegion } from '../../view/scroll-region.tsx';
import { Skeleton } from '../../view/skeleton.tsx';
import { MachineBadge } from './marks.tsx';
import { absentOf, type Checker, type Machines, type NameServer } from './use-machines.ts';

const order = ['ABSENT', 'ABSTAINING', 'PRESENT'];

export function MachinePanels({ machines: { nameServers, checkers } }: { readonly machines: Machines }) {
  const { viewer } = useLiveState();
  if (viewer?.admin !== true) return null;
  return (
    <>
      <MachinePanel name="nameservers" title="Name servers" machines={nameServers} hint="--role dns">
        {(server) => <NameServerItem server={server} />}
      </MachinePanel>
      <MachinePanel name="checkers" title="Checkers" machines={checkers} hint="--role checker">
        {(checker) => <CheckerItem checker={checker} />}
      </MachinePanel>
    </>
  );
}

/** Above the panels, while no checker is left to vote. */
export function NoCheckersStrip({ machines: { checkers } }: { readonly machines: Machines }) {
  if (checkers === null || checkers.length === 0 || absentOf(checkers) < checkers.length) return null;
  return (
    <section className="strip strip-stale strip-late" aria-label="No checker votes" role="alert">
      <p>
        <strong>No checker is connected: no verdict can change.</strong> Every name keeps its last answer, even if its
        members fail.
      </p>
    </section>
  );
}

interface MachinePanelProps<Each extends NameServer | Checker> {
  readonly name: string;
  readonly title: string;
  /** Null until they are read. */
  readonly machines: readonly Each[] | null;
  /** Of `tidegate machines create`. */
  readonly hint: string;
  readonly children: (machine: Each) => ReactNode;
}

function MachinePanel<Each extends NameServer | Checker>(props: MachinePanelProps<Each>) {
  const { name, title, machines, hint, children } = props;
  const sorted = machines?.toSorted((a, b) => order.indexOf(a.presence) - order.indexOf(b.presence)) ?? [];
  const absent = absentOf(sorted);
  return (
    <Panel
      name={name}
      title={title}
      summary={machines === null ? undefined : `${sorted.length}${absent > 0 ? `, ${absent} not connected` : ''}`}
    >
      <ScrollRegion list={name} label={title}>
        {machines === null && <Skeleton />}
        {machines?.length === 0 && (
          <p className="hint">
            None yet: <code>tidegate machines create NAME {hint}</code> creates a token for one.
          </p>
        )}
        <ul className="machines">
          {sorted.map((machine) => (
            <li key={machine.id} data-state={machine.presence}>
              {children(machine)}
            </li>
          ))}
        </ul>
      </ScrollRegion>
    </Panel>
  );
}

function NameServerItem({ server }: { readonly server: NameServer }) {
  const { name, presence, addresses, ageMs, zones, heardAt, linkedTo } = server;
  const behind = zones.filter(
    ({ generation, newestGeneration: newest }) => newest !== null && generation !== newest,
  ).length;
  const refused = zones.filter(({ refusedReason }) => refusedReason !== null);
  const told = (
    <>
      <span className="dim">
        {ageMs === null && 'answers never complete · '}
        {ageMs !== null && ageMs > oldMs && `answers up to ${formatDuration(ageMs)} old · `}
        {zones.length} {zones.length === 1 ? 'zone' : 'zones'}
        {behind > 0 && `, ${behind} behind`}
        {presence !== 'ABSENT' && linkedTo === null && ' · no live link'}
      </span>
      {refused.map(({ zoneName, refusedReason }) => (
        <span key={zoneName} className="message">
          Refused a change of {zoneName}: {refusedReason}
        </span>
      ))}
    </>
  );
  return (
    <>
      <span className="line">
        <span className="name">{name}</span>
        <code className="dim">{addresses.join(' ')}</code>
        <span className="badges">
          <MachineBadge presence={presence} />
        </span>
      </span>
      {presence === 'ABSENT' ? <LastSaid at={heardAt}>{told}</LastSaid> : told}
    </>
  );
}

/** Nothing while its reports come. */
function SeenLate({ at }: { readonly at: string }) {
  return useClock((nowMs) => {
    const ageMs = nowMs - Date.parse(at);
    return ageMs > oldMs ? ` · last seen ${formatAge(ageMs)} ago` : '';
  });
}

function CheckerItem({ checker }: { readonly checker: Checker }) {
  const { name, presence, vantagePoint, presenceReason, shares, heardAt, targets, lateMs } = checker;
  const told = (
    <span className="dim">
      {targets === null ? 'no report yet' : `${targets} targets`}
      {lateMs !== null && lateMs > 0 && `, up to ${formatDuration(lateMs)} late`}
      {!shares && ' · does not share targets'}
      {presence !== 'ABSENT' && heardAt !== null && <SeenLate at={heardAt} />}
    </span>
  );
  return (
    <>
      <span className="line">
        <span className="name">{name}</span>
        <span className="dim">
          {vantagePoint === null ? 'vantage point deleted' : `${vantagePoint.name} (${vantagePoint.region})`}
        </span>
        <span className="badges">
          <MachineBadge presence={presence} />
        </span>
      </span>
      {presence === 'ABSENT' ? <LastSaid at={heardAt}>{told}</LastSaid> : told}
      {presenceReason !== null && <span className="message">{presenceReason}</span>}
    </>
  );
}
