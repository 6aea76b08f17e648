import { useFilters } from '../../filters/use-filters.ts';
import { PageFrame } from '../../frame/page-frame.tsx';
import type { Page } from '../../page.ts';
import { FeedPanel } from '../../view/feed-panel.tsx';
import { useAreaTitle } from '../../view/use-area-title.ts';
import { filterFormat } from './filters.ts';
import { copiesOf, HostsPanel } from './hosts-panel.tsx';
import { subjects } from './kinds.ts';
import { MovesPanel } from './moves-panel.tsx';
import { PicturePanel } from './picture/picture-panel.tsx';
import { ProcessesPanel } from './processes-panel.tsx';
import { type Status, useMoves, useStatus } from './use-hosts.ts';
import '../../style/path.css';
import './hosts.css';

export const page: Page = {
  ...subjects,
  read: async () => [],
  keys: {
    firstList: 'hosts',
    groups: [
      {
        does: 'Hosts, changes of the primary, events, processes',
        focus: {
          ...{ 1: '[data-list="hosts"]', 2: '[data-list="moves"]', 3: '[data-list="changes"]' },
          4: '[data-list="processes"]',
        },
      },
    ],
  },
  Content: HostsPage,
};

function HostsPage() {
  const control = useFilters(filterFormat);
  const { value: status, failure } = useStatus();
  const trouble = troubleOf(status ?? undefined);
  useAreaTitle('hosts');
  // A database on one machine is no fault.
  if (status === null)
    return (
      <PageFrame control={control} className="ha" waitingFor="hosts">
        <div className="column">
          <OneHost />
          <ProcessesPanel />
        </div>
      </PageFrame>
    );
  return (
    <PageFrame control={control} className="ha" waitingFor="hosts" strips={trouble && <CopiesStrip status={trouble} />}>
      <div className="column">
        <HostsPanel reading={{ value: status, failure }} />
        <FeedPanel control={control} />
      </div>
      {(status !== undefined || failure !== null) && <Moves status={status} />}
    </PageFrame>
  );
}

function OneHost() {
  return (
    <section className="waiting" aria-labelledby="one-host">
      <h2 id="one-host">This installation has one data host.</h2>
      <p>
        The database runs on one machine, without copies on other hosts. To add hosts, see <code>docs/ha.md</code>.
      </p>
    </section>
  );
}

function Moves({ status }: { readonly status: Status | undefined }) {
  const moves = useMoves(status);
  return (
    <div className="column">
      {status !== undefined && <PicturePanel status={status} moves={moves.value} />}
      <MovesPanel reading={moves} />
      <ProcessesPanel />
    </div>
  );
}

function CopiesStrip({ status }: { readonly status: Status }) {
  return (
    <section className="strip strip-stale" aria-label="Copies" role="alert">
      <p>
        <strong>{copiesOf(status)}.</strong>{' '}
        {status.primaryName === null
          ? 'No host accepts writes now.'
          : `Only ${status.primaryName} has the newest writes. If it is lost now, writes wait until it returns.`}
      </p>
    </section>
  );
}

/** Undefined: two hosts have every write, or nothing is known yet. */
function troubleOf(status: Status | undefined): Status | undefined {
  return status === undefined || (status.primaryName !== null && status.copies > 1) ? undefined : status;
}
