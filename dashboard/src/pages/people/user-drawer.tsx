// One user: what the user may do, in which projects, and the tokens that rest on the user's rights.
import { useCallback } from 'react';
import {
  PeopleMembershipRemoveDocument,
  PeopleMembershipsDocument,
  PeopleUserDocument,
} from '../../../../generated/dashboard/graphql.ts';
import { useDependencies, useLiveState } from '../../context.ts';
import { CreateLink, EditLink } from '../../forms/create-link.tsx';
import { ConfirmedAction } from '../../view/confirmed-action.tsx';
import { Drawer, Facts } from '../../view/drawer.tsx';
import { PagedList } from '../../view/paged-panel.tsx';
import { Moment, Time } from '../../view/time.tsx';
import { useMutation } from '../../view/use-mutation.ts';
import { type CountedPage, usePaged } from '../../view/use-paged.ts';
import { useReading } from '../../view/use-reading.ts';
import { Missing } from './missing.tsx';
import { MembershipMenu } from './role-menu.tsx';
import { RoleLegend } from './roles.tsx';
import { TokenItem } from './token-item.tsx';
import { everyMs, useNews } from './use-news.ts';
import { useTokens } from './use-tokens.ts';

interface DrawerProps {
  readonly id: string;
  readonly onClose: () => void;
}

export function UserDrawer({ id, onClose }: DrawerProps) {
  const { requester } = useDependencies();
  const read = useCallback(async () => {
    const { node } = await requester.request(PeopleUserDocument, { id });
    return node?.__typename === 'User' ? node : null;
  }, [requester, id]);
  const { value: user, failure } = useReading(read, useNews(), everyMs);
  return (
    <Drawer id={id} title={user?.name ?? 'User'} onClose={onClose}>
      {user == null ? (
        <Missing isGone={user === null} failure={failure} />
      ) : (
        <>
          <div className="actions">
            <EditLink kind="User" id={id} />
            <CreateLink kind="Membership" presets={{ userId: id }}>
              Add to a project
            </CreateLink>
          </div>
          <Facts
            facts={[
              { name: 'May', value: user.admin ? 'administrator: may do everything' : 'according to the roles below' },
              { name: 'Log-in', value: user.enabled ? 'allowed' : <b data-status="OFFLINE">disabled</b> },
              { name: 'Since', value: <Moment at={user.createdAt} /> },
              { name: 'Changed', value: <Moment at={user.updatedAt} /> },
              { name: 'Id', value: <code>{user.id}</code> },
            ]}
          />
          <Memberships key={`memberships ${id}`} id={id} name={user.name} />
          <UserTokens key={`tokens ${id}`} id={id} />
        </>
      )}
    </Drawer>
  );
}

type Membership = { readonly role: 'OPERATOR' | 'MEMBER' | 'VIEWER'; readonly createdAt: string } & {
  readonly project: { readonly id: string; readonly name: string };
};

const none: CountedPage<Membership> = { nodes: [], pageInfo: { hasNextPage: false, endCursor: null }, totalCount: 0 };

function Memberships({ id, name }: { readonly id: string; readonly name: string }) {
  const { requester } = useDependencies();
  const readPage = useCallback(
    async (after: string | null): Promise<CountedPage<Membership>> => {
      const { node } = await requester.request(PeopleMembershipsDocument, { id, after });
      return node?.__typename === 'User' ? node.memberships : none;
    },
    [requester, id],
  );
  const paged = usePaged(readPage, useNews(), everyMs);
  return (
    <section aria-label="Memberships">
      <h3>Projects</h3>
      <PagedList
        paged={paged}
        none="Not a member of any project."
        keyOf={({ project }) => project.id}
        item={({ role, project, createdAt }) => (
          <span className="line">
            <MembershipMenu user={{ id, name }} role={role} project={project} />
            <span className="dim">
              since <Time at={createdAt} />
            </span>
            <RemoveAction user={{ id, name }} project={project} />
          </span>
        )}
      />
      <RoleLegend />
    </section>
  );
}

interface Named {
  readonly id: string;
  readonly name: string;
}

export function RemoveAction({ user, project }: { readonly user: Named; readonly project: Named }) {
  const { viewer } = useLiveState();
  const control = useMutation(PeopleMembershipRemoveDocument);
  return (
    <ConfirmedAction
      label="Remove"
      about={`${user.name} of ${project.name}`}
      question={`Remove ${user.name} from ${project.name}?`}
      forbidden={viewer?.admin === true ? null : 'Only administrators can do this.'}
      control={control}
      onConfirm={async () => (await control.send({ projectId: project.id, userId: user.id })) !== undefined}
    >
      The user loses access to the project, and API tokens that depend on this membership are revoked.
    </ConfirmedAction>
  );
}

function UserTokens({ id }: { readonly id: string }) {
  const paged = useTokens({ userId: id });
  return (
    <section aria-label="API tokens of this user">
      <h3>API tokens of this user</h3>
      <PagedList paged={paged} none="None." keyOf={(token) => token.id} item={(token) => <TokenItem token={token} />} />
    </section>
  );
}
