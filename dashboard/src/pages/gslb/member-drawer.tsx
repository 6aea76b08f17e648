// One member: why it is answered or not, and the state that a person set.
import { GslbMemberDocument, UptimeOfGslbMemberDocument } from '../../../../generated/dashboard/graphql.ts';
import { CreateLink, EditLink } from '../../forms/create-link.tsx';
import { ConfirmedAction } from '../../view/confirmed-action.tsx';
import { Facts } from '../../view/drawer.tsx';
import { formatWord } from '../../view/format.ts';
import { OpenedDrawer } from '../../view/opened-drawer.tsx';
import { Moment } from '../../view/time.tsx';
import { Uptime } from '../../view/uptime/uptime.tsx';
import { useForbidden } from '../../view/use-forbidden.ts';
import { useOpened } from '../../view/use-opened.ts';
import { type ByHand, useByHand } from './by-hand.tsx';
import { type Member, memberKind, placeOf } from './kinds/member.ts';
import { AdminBadge, OperatingBadge } from './marks.tsx';
import { useAdminState, useRelease } from './use-actions.ts';

interface DrawerProps {
  readonly id: string;
  readonly onClose: () => void;
}

export function MemberDrawer({ id, onClose }: DrawerProps) {
  const opened = useOpened(memberKind, GslbMemberDocument, id);
  return (
    <OpenedDrawer
      {...{ id, opened, onClose }}
      what="Member"
      title={(member) => (
        <>
          {member.name} <AdminBadge state={member.adminState} />
          <OperatingBadge status={member.operatingStatus} />
        </>
      )}
    >
      {(member) => (
        <>
          {member.operatingReason !== null && <p className="warning">{member.operatingReason}</p>}
          <Uptime key={`${id} uptime`} document={UptimeOfGslbMemberDocument} id={id} of={member.name} />
          <MemberActions key={id} member={member} />
          <p className="actions">
            <EditLink kind="GslbPoolMember" id={id} projectId={member.project?.id} />
            <EditLink
              kind="GslbPool"
              id={member.pool.id}
              projectId={member.project?.id}
              word={`pool ${member.pool.name}`}
            />
            <CreateLink kind="GslbPoolMember" presets={{ poolId: member.pool.id }} projectId={member.project?.id}>
              Add a member to its pool
            </CreateLink>
          </p>
          <Facts
            facts={[
              { name: 'Answered as', value: <code>{placeOf(member)}</code> },
              { name: 'Pool', value: member.pool.name },
              { name: 'Verdict', value: member.verdict === null ? 'none yet' : formatWord(member.verdict) },
              { name: 'Since', value: member.verdictAt === null ? null : <Moment at={member.verdictAt} /> },
              {
                name: 'Undecided since',
                value: member.undecidedAt === null ? null : <Moment at={member.undecidedAt} />,
              },
              { name: 'Serves', value: member.serving ? 'yes' : 'no' },
              { name: 'Last served', value: member.lastUpAt === null ? null : <Moment at={member.lastUpAt} /> },
              { name: 'Region', value: member.memberRegion },
              { name: 'Weight', value: String(member.weight) },
              { name: 'Priority', value: String(member.priority) },
              { name: 'Set by hand', value: member.adminState === 'AUTO' ? null : byHand(member) },
              { name: 'Id', value: <code>{member.id}</code> },
            ]}
          />
        </>
      )}
    </OpenedDrawer>
  );
}

function byHand({ adminState, adminUntil, adminReason }: Member) {
  return (
    <>
      {formatWord(adminState)}
      {adminUntil !== null && (
        <>
          {' '}
          until <Moment at={adminUntil} />
        </>
      )}
      {adminReason !== null && `: ${adminReason}`}
    </>
  );
}

const states = [
  {
    state: 'DRAIN',
    label: 'Drain',
    asks: (name: string) => `Drain ${name}?`,
    says: 'DNS no longer answers with it, even if no other member is left. Clients that already have the address may keep using it.',
  },
  {
    state: 'FORCED_UP',
    label: 'Force up',
    asks: (name: string) => `Count ${name} as up?`,
    says: 'DNS answers with it whatever its checks report, until you return it to its checks.',
  },
  {
    state: 'FORCED_DOWN',
    label: 'Force down',
    asks: (name: string) => `Count ${name} as down?`,
    says: 'DNS does not answer with it, even if no other member is left, until you return it to its checks.',
  },
  {
    state: 'AUTO',
    label: 'Return to its checks',
    asks: (name: string) => `Return ${name} to its checks?`,
    says: 'DNS answers with it while its vantage points report it as up.',
  },
] as const;

function MemberActions({ member }: { readonly member: Member }) {
  const { id, name, project, adminState, verdict, serving } = member;
  const forbidden = useForbidden(project?.id);
  const { control, set } = useAdminState(id);
  const { control: releasing, release } = useRelease(id);
  const mayWait = adminState === 'AUTO' && verdict === 'UP' && !serving;
  return (
    <div className="actions">
      {states
        .filter(({ state }) => state !== adminState)
        .map(({ state, label, asks, says }) => (
          <StateAction
            {...{ label, forbidden, control }}
            key={state}
            question={asks(name)}
            says={says}
            ends={state !== 'AUTO'}
            onConfirm={(given) => set(state, given)}
          />
        ))}
      {mayWait && (
        <ConfirmedAction
          label="Return to service"
          question={`Return ${name} to service now?`}
          forbidden={forbidden}
          control={releasing}
          onConfirm={release}
        >
          The member is up and waits for its failback. DNS answers with it at once.
        </ConfirmedAction>
      )}
      {forbidden !== null && <span className="dim">{forbidden}</span>}
    </div>
  );
}

interface StateActionProps
  extends Pick<Parameters<typeof ConfirmedAction>[0], 'label' | 'question' | 'forbidden' | 'control'> {
  readonly says: string;
  readonly ends: boolean;
  readonly onConfirm: (given: ByHand) => Promise<boolean>;
}

function StateAction({ says, ends, onConfirm, ...action }: StateActionProps) {
  const { given, fields } = useByHand(ends);
  return (
    <ConfirmedAction {...action} fields={fields} onConfirm={() => onConfirm(given())}>
      {says}
    </ConfirmedAction>
  );
}
