// The host that takes writes, the hosts that have every write, and the number of missing writes of the others, with the actions of an administrator.

import {
  HostsPauseDocument,
  HostsResumeDocument,
  HostsSwitchoverDocument,
} from '../../../../generated/dashboard/graphql.ts';
import { CreateLink } from '../../forms/create-link.tsx';
import { ConfirmedAction } from '../../view/confirmed-action.tsx';
import { formatWord } from '../../view/format.ts';
import { Panel } from '../../view/panel.tsx';
import { Failures } from '../../view/refusal.tsx';
import { ScrollRegion } from '../../view/scroll-region.tsx';
import { Skeleton } from '../../view/skeleton.tsx';
import { useMutation } from '../../view/use-mutation.ts';
import type { Reading } from '../../view/use-reading.ts';
import type { Host, Status } from './use-hosts.ts';

const mostOffMs = 1_000;

export function HostsPanel({ reading }: { readonly reading: Reading<Status> }) {
  const { value: status, failure } = reading;
  return (
    <Panel
      name="hosts"
      title="Hosts"
      summary={status === undefined ? undefined : `timeline ${status.epoch}`}
      tools={
        <>
          {status !== undefined && <PauseAction isPaused={status.paused} />}
          <CreateLink kind="Machine">Add a machine</CreateLink>
        </>
      }
    >
      <ScrollRegion list="hosts" label="Hosts">
        {status === undefined && failure === null && <Skeleton />}
        <Failures failures={failure === null ? [] : [failure]} />
        {status !== undefined && (
          <>
            <p className="copies" data-copies={status.copies}>
              <strong>{copiesOf(status)}</strong>
              {status.move !== null && ` · moving to ${status.move.primaryName}`}
              {status.paused && ' · automatic failover is paused'}
            </p>
            <ul className="hosts">
              {status.hosts.map((host) => (
                <li key={host.name} data-state={host.state}>
                  <HostItem host={host} />
                </li>
              ))}
            </ul>
          </>
        )}
      </ScrollRegion>
    </Panel>
  );
}

export function copiesOf({ primaryName: primary, copies }: Status): string {
  if (primary === null) return 'NO PRIMARY';
  return copies === 1 ? 'ONE COPY' : `${copies} copies`;
}

function HostItem({ host }: { readonly host: Host }) {
  const { name, address, site, state, behindTransactions, etcd, clockAheadMs, keysDiffer, stateReason } = host;
  const isOff = clockAheadMs !== null && Math.abs(clockAheadMs) > mostOffMs;
  return (
    <>
      <span className="line">
        <span className="name">{name}</span>
        <code className="dim">{address}</code>
        {site !== null && <span className="dim">site {site}</span>}
        <b data-status={state}>{formatWord(state)}</b>
        {state === 'IN_SYNC' && <SwitchoverAction to={name} />}
      </span>
      <span className="line dim">
        {[
          ...(state === 'WITNESS' || state === 'PRIMARY' ? [] : [behindOf(state, behindTransactions)]),
          `etcd ${formatWord(etcd)}`,
        ].join(' · ')}
      </span>
      {isOff && (
        <span className="message">
          Its clock is {Math.abs(clockAheadMs)} ms {clockAheadMs > 0 ? 'ahead' : 'behind'}.
        </span>
      )}
      {stateReason !== null && <span className="line">It returns: {stateReason}</span>}
      {keysDiffer === true && <span className="message">Its key files differ from the primary's.</span>}
    </>
  );
}

/** What a silent host lacks now can't be known. */
function behindOf(state: Host['state'], behind: string | null): string {
  if (state === 'SILENT') return 'lag unknown while it does not report';
  if (behind === null) return 'lag unknown';
  return behind === '0' ? 'no lag' : `${behind} transactions behind`;
}

function SwitchoverAction({ to }: { readonly to: string }) {
  const control = useMutation(HostsSwitchoverDocument);
  return (
    <ConfirmedAction
      label="Switch over"
      about={to}
      question={`Make ${to} the primary?`}
      forbidden={null}
      control={control}
      onConfirm={async () => (await control.send({ to })) !== undefined}
    >
      No write is lost and no request fails. It is cancelled if it has not started within 30 s.
    </ConfirmedAction>
  );
}

function PauseAction({ isPaused }: { readonly isPaused: boolean }) {
  const pausing = useMutation(HostsPauseDocument);
  const resuming = useMutation(HostsResumeDocument);
  if (isPaused)
    return (
      <ConfirmedAction
        label="Resume"
        question="Resume automatic failover?"
        forbidden={null}
        control={resuming}
        onConfirm={async () => (await resuming.send({})) !== undefined}
      >
        A host in sync then replaces a lost primary automatically.
      </ConfirmedAction>
    );
  return (
    <ConfirmedAction
      label="Pause"
      question="Pause automatic failover?"
      forbidden={null}
      control={pausing}
      onConfirm={async () => (await pausing.send({})) !== undefined}
    >
      If the primary is lost, writes wait until it returns or you resume failover.
    </ConfirmedAction>
  );
}
