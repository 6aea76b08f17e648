// One member: why it serves or not, and draining it by hand.
import {
  LoadbalancerMemberDocument,
  LoadbalancerMemberTrafficDocument,
} from '../../../../generated/dashboard/graphql.ts';
import { ConfirmedAction } from '../../view/confirmed-action.tsx';
import { Drawer, Facts } from '../../view/drawer.tsx';
import { Time } from '../../view/time.tsx';
import { useOpened } from '../../view/use-opened.ts';
import { addressOf, type Member, memberKind, nameOf } from './kinds/member.ts';
import { OperatingBadge, ProvisioningBadge } from './marks.tsx';
import { TrafficSection } from './traffic-charts.tsx';
import { useForbidden, useMemberDrain, useMemberEnable } from './use-actions.ts';

interface DrawerProps {
  readonly id: string;
  readonly onClose: () => void;
}

export function MemberDrawer({ id, onClose }: DrawerProps) {
  const { entity: member, instead } = useOpened(memberKind, LoadbalancerMemberDocument, id);
  if (member === undefined) {
    return (
      <Drawer id={id} title="Member" onClose={onClose}>
        <p className="dim">{instead}</p>
      </Drawer>
    );
  }
  return (
    <Drawer
      id={id}
      title={
        <>
          {nameOf(member)} <ProvisioningBadge status={member.provisioningStatus} />
          <OperatingBadge status={member.operatingStatus} />
        </>
      }
      onClose={onClose}
    >
      {member.statusMessage !== null && <p className="warning">{member.statusMessage}</p>}
      <MemberActions key={id} member={member} />
      <Facts
        facts={[
          { name: 'Address', value: <code>{addressOf(member)}</code> },
          { name: 'Pool', value: member.pool.name || <code>{member.pool.id}</code> },
          { name: 'Weight', value: String(member.weight) },
          { name: 'Backup', value: member.backup ? 'only when no other member is healthy' : null },
          { name: 'Enabled', value: member.enabled ? 'yes' : 'no: it gets no requests' },
          {
            name: 'Drained',
            value: member.drainUntil === null ? null : <>its sessions end by {<Time at={member.drainUntil} />}</>,
          },
          { name: 'Id', value: <code>{member.id}</code> },
        ]}
      />
      <TrafficSection key={`${id} traffic`} document={LoadbalancerMemberTrafficDocument} id={id} />
    </Drawer>
  );
}

function MemberActions({ member }: { readonly member: Member }) {
  const forbidden = useForbidden(member.loadBalancer.id);
  const { control: draining, drain } = useMemberDrain(member.id);
  const { control: enabling, enable } = useMemberEnable(member.id);
  const name = nameOf(member);
  return (
    <div className="actions">
      {member.drainUntil === null ? (
        <ConfirmedAction
          label="Drain"
          question={`Drain ${name}?`}
          forbidden={forbidden}
          control={draining}
          onConfirm={() => drain(true)}
        >
          It finishes its sessions within the time that its pool allows, and gets no new ones.
        </ConfirmedAction>
      ) : (
        <ConfirmedAction
          label="End the drain"
          question={`Give ${name} new sessions again?`}
          forbidden={forbidden}
          control={draining}
          onConfirm={() => drain(false)}
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
          onConfirm={enable}
        >
          It gets requests as soon as its checks succeed.
        </ConfirmedAction>
      )}
      {forbidden !== null && <span className="dim">{forbidden}</span>}
    </div>
  );
}
