// One member: why it serves or not, and draining it by hand.

import {
  LoadbalancerMemberDocument,
  LoadbalancerMemberTrafficDocument,
  UptimeOfPoolMemberDocument,
} from '../../../../generated/dashboard/graphql.ts';
import { EditLink } from '../../forms/create-link.tsx';
import { useClock } from '../../view/clock.ts';
import { ConfirmedAction } from '../../view/confirmed-action.tsx';
import { Facts } from '../../view/drawer.tsx';
import { OpenedDrawer } from '../../view/opened-drawer.tsx';
import { ProvisioningBadge } from '../../view/provisioning-badge.tsx';
import { Uptime } from '../../view/uptime/uptime.tsx';
import { useOpened } from '../../view/use-opened.ts';
import { addressOf, drainOf, type Member, memberKind, nameOf } from './kinds/member.ts';
import { DrainEnd, OperatingBadge } from './marks.tsx';
import { TrafficSection } from './traffic-charts.tsx';
import { useForbiddenParts, useMemberDrain, useMemberDrainCancel, useMemberEnabled } from './use-actions.ts';

interface DrawerProps {
  readonly id: string;
  readonly onClose: () => void;
}

export function MemberDrawer({ id, onClose }: DrawerProps) {
  const opened = useOpened(memberKind, LoadbalancerMemberDocument, id);
  return (
    <OpenedDrawer
      {...{ id, opened, onClose }}
      what="Member"
      title={(member) => (
        <>
          {nameOf(member)} <ProvisioningBadge status={member.provisioningStatus} />
          <MemberBadge member={member} />
        </>
      )}
    >
      {(member) => (
        <>
          {member.operatingReason !== null && <p className="warning">{member.operatingReason}</p>}
          <Uptime key={`${id} uptime`} document={UptimeOfPoolMemberDocument} id={id} of={nameOf(member)} />
          <MemberActions key={id} member={member} />
          <EditLink kind="PoolMember" id={id} />
          <Facts
            facts={[
              { name: 'Address', value: <code>{addressOf(member)}</code> },
              { name: 'Pool', value: member.pool.name || <code>{member.pool.id}</code> },
              { name: 'Weight', value: String(member.weight) },
              { name: 'Backup', value: member.backup ? 'only if no other member is healthy' : null },
              { name: 'Enabled', value: member.enabled ? 'yes' : 'no: it receives no requests' },
              {
                name: 'Drain',
                value: member.drainUntil === null ? null : <DrainEnd member={member} />,
              },
              { name: 'Id', value: <code>{member.id}</code> },
            ]}
          />
          <TrafficSection key={`${id} traffic`} document={LoadbalancerMemberTrafficDocument} id={id} />
        </>
      )}
    </OpenedDrawer>
  );
}

function MemberBadge({ member }: { readonly member: Member }) {
  const drain = useClock((nowMs) => drainOf(member, nowMs) ?? '');
  return <OperatingBadge status={member.operatingStatus} isDrained={drain === 'drained'} />;
}

function MemberActions({ member }: { readonly member: Member }) {
  const forbidden = useForbiddenParts(member.loadBalancer.id);
  const { control: draining, drain } = useMemberDrain(member.id);
  const { control: cancelling, cancel } = useMemberDrainCancel(member.id);
  const { control: enabling, setEnabled } = useMemberEnabled(member.id);
  const name = nameOf(member);
  return (
    <div className="actions">
      {member.drainUntil === null ? (
        <ConfirmedAction
          label="Drain"
          question={`Drain ${name}?`}
          forbidden={forbidden}
          control={draining}
          onConfirm={drain}
        >
          It gets no new sessions. Existing sessions may finish within the pool's drain time.
        </ConfirmedAction>
      ) : (
        <ConfirmedAction
          label="Stop draining"
          question={`Give ${name} new sessions again?`}
          forbidden={forbidden}
          control={cancelling}
          onConfirm={cancel}
        >
          It serves again as soon as its checks succeed.
        </ConfirmedAction>
      )}
      {!member.enabled && (
        <ConfirmedAction
          label="Enable"
          question={`Enable ${name}?`}
          forbidden={forbidden}
          control={enabling}
          onConfirm={() => setEnabled(true)}
        >
          It receives requests as soon as its checks succeed.
        </ConfirmedAction>
      )}
      {member.enabled && (
        <ConfirmedAction
          label="Take out"
          question={`Take ${name} out of service?`}
          forbidden={forbidden}
          control={enabling}
          onConfirm={() => setEnabled(false)}
        >
          It gets no more requests at once, not even of its present clients. Answers that are under way may end within
          the pool's drain time. It stays disabled until it is enabled again.
        </ConfirmedAction>
      )}
      {forbidden !== null && <span className="dim">{forbidden}</span>}
    </div>
  );
}
