// Our own name servers and the checkers, silent ones first, with the age of their data. Only administrators see them.
import { type ReactNode, useCallback } from 'react';
import {
  GslbCheckersDocument,
  type GslbCheckersQuery,
  GslbNameServersDocument,
  type GslbNameServersQuery,
} from '../../../../generated/dashboard/graphql.ts';
import { useDependencies, useLiveState } from '../../context.ts';
import { formatDuration } from '../../view/format.ts';
import { Panel } from '../../view/panel.tsx';
import { Age } from '../../view/time.tsx';
import { useRepeated } from '../../view/use-repeated.ts';
import { MachineBadge } from './marks.tsx';

type NameServer = GslbNameServersQuery['gslbNameServers']['nodes'][number];
type Checker = GslbCheckersQuery['gslbCheckers']['nodes'][number];

const everyMs = 2_000;
const order = ['ABSENT', 'ABSTAINING', 'PRESENT'];

export function MachinePanels() {
  const { viewer } = useLiveState();
  if (viewer?.admin !== true) return null;
  return (
    <>
      <NameServersPanel />
      <CheckersPanel />
    </>
  );
}

function NameServersPanel() {
  const { requester } = useDependencies();
  const read = useCallback(
    async () => (await requester.request(GslbNameServersDocument, {})).gslbNameServers.nodes,
    [requester],
  );
  const servers = useRepeated(read, everyMs);
  return (
    <MachinePanel name="nameservers" title="Name servers" machines={servers} hint="--role dns">
      {(server) => <NameServerItem server={server} />}
    </MachinePanel>
  );
}

function CheckersPanel() {
  const { requester } = useDependencies();
  const read = useCallback(
    async () => (await requester.request(GslbCheckersDocument, {})).gslbCheckers.nodes,
    [requester],
  );
  const checkers = useRepeated(read, everyMs);
  return (
    <MachinePanel name="checkers" title="Checkers" machines={checkers} hint="--role checker">
      {(checker) => <CheckerItem checker={checker} />}
    </MachinePanel>
  );
}

interface Machine {
  readonly id: string;
  readonly name: string;
  readonly presence: NameServer['presence'];
}

interface MachinePanelProps<Each extends Machine> {
  readonly name: string;
  readonly title: string;
  /** Null until they are read. */
  readonly machines: readonly Each[] | null;
  /** Of `tidegate machines create`. */
  readonly hint: string;
  readonly children: (machine: Each) => ReactNode;
}

function MachinePanel<Each extends Machine>({ name, title, machines, hint, children }: MachinePanelProps<Each>) {
  const sorted = machines?.toSorted((a, b) => order.indexOf(a.presence) - order.indexOf(b.presence)) ?? [];
  const absent = sorted.filter(({ presence }) => presence === 'ABSENT').length;
  return (
    <Panel
      name={name}
      title={title}
      summary={machines === null ? undefined : `${sorted.length}${absent > 0 ? `, ${absent} absent` : ''}`}
    >
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard. */}
      <section className="scroll" data-list={name} tabIndex={0} aria-label={title}>
        {machines === null && <p className="hint">Reading…</p>}
        {machines?.length === 0 && (
          <p className="hint">
            None has joined yet: <code>tidegate machines create NAME {hint}</code> gives it a token.
          </p>
        )}
        <ul className="machines">
          {sorted.map((machine) => (
            <li key={machine.id} data-state={machine.presence}>
              {children(machine)}
            </li>
          ))}
        </ul>
      </section>
    </Panel>
  );
}

function NameServerItem({ server }: { readonly server: NameServer }) {
  const { name, presence, addresses, ageMs, zones, heardAt, linkedTo } = server;
  const behind = zones.filter(
    ({ generation, newestGeneration: newest }) => newest !== null && generation !== newest,
  ).length;
  const refused = zones.filter(({ refusedReason }) => refusedReason !== null);
  return (
    <>
      <span className="line">
        <span className="name">{name}</span>
        <code className="dim">{addresses.join(' ')}</code>
        <span className="badges">
          <MachineBadge presence={presence} />
        </span>
      </span>
      <span className="line dim">
        {ageMs === null ? 'it never had all' : `its answers are ${formatDuration(ageMs)} old at most`} · {zones.length}{' '}
        zones{behind > 0 && `, ${behind} behind`}
        {heardAt !== null && presence === 'ABSENT' && (
          <>
            {' '}
            · heard <Age at={heardAt} /> ago
          </>
        )}
        {linkedTo === null && ' · not connected'}
      </span>
      {refused.map(({ zoneName, refusedReason }) => (
        <span key={zoneName} className="message">
          It refused a change of {zoneName}: {refusedReason}
        </span>
      ))}
    </>
  );
}

function CheckerItem({ checker }: { readonly checker: Checker }) {
  const { name, presence, vantagePoint, presenceReason, shares, heardAt, targets, lateMs } = checker;
  return (
    <>
      <span className="line">
        <span className="name">{name}</span>
        <span className="dim">
          {vantagePoint === null ? 'its vantage point was deleted' : `${vantagePoint.name} (${vantagePoint.region})`}
        </span>
        <span className="badges">
          <MachineBadge presence={presence} />
        </span>
      </span>
      <span className="line dim">
        {targets === null ? 'no report yet' : `${targets} targets`}
        {lateMs !== null && lateMs > 0 && `, up to ${formatDuration(lateMs)} late`}
        {!shares && ' · it shares no targets'}
        {heardAt !== null && (
          <>
            {' '}
            · heard <Age at={heardAt} /> ago
          </>
        )}
      </span>
      {presenceReason !== null && <span className="message">{presenceReason}</span>}
    </>
  );
}
