// All users with their first memberships. Only administrators see them.
import { useCallback } from 'react';
import { PeopleUsersDocument, type PeopleUsersQuery } from '../../../../generated/dashboard/graphql.ts';
import { useDependencies } from '../../context.ts';
import { CreateLink } from '../../forms/create-link.tsx';
import { PagedPanel } from '../../view/paged-panel.tsx';
import { usePaged } from '../../view/use-paged.ts';
import { useSettled } from '../../view/use-settled.ts';
import type { PeopleControl } from './filters.ts';
import { userType } from './kinds.ts';
import { NewUser } from './new-user.tsx';
import { OpenLink } from './open-link.tsx';
import { MembershipMenu } from './role-menu.tsx';
import { everyMs, useNews } from './use-news.ts';

type User = PeopleUsersQuery['users']['nodes'][number];

export function UsersPanel({ control: { filters } }: { readonly control: PeopleControl }) {
  const { requester } = useDependencies();
  const text = useSettled(filters.text) || null;
  const readPage = useCallback(
    async (after: string | null) => (await requester.request(PeopleUsersDocument, { text, after })).users,
    [requester, text],
  );
  const paged = usePaged(readPage, useNews(), everyMs);
  return (
    <PagedPanel
      name="users"
      title="Users"
      paged={paged}
      none={text === null ? 'No users.' : 'No user matches.'}
      tools={<CreateLink kind="User">Add a user</CreateLink>}
      keyOf={({ id }) => id}
      item={(user) => <UserItem user={user} />}
    >
      <details className="new-user-box">
        <summary>New user in a project…</summary>
        <NewUser />
      </details>
    </PagedPanel>
  );
}

function UserItem({ user }: { readonly user: User }) {
  const { id, name, admin, enabled, memberships } = user;
  const others = memberships.totalCount === null ? null : memberships.totalCount - memberships.nodes.length;
  return (
    <span className="line user-row">
      <OpenLink type={userType} id={id} name={name} isRow />
      <span>
        {enabled ? (
          admin ? (
            <b>administrator</b>
          ) : (
            <span className="dim">user</span>
          )
        ) : (
          <b data-status="OFFLINE">disabled</b>
        )}
      </span>
      <span className="line">
        {memberships.nodes.map(({ role, project }) => (
          <MembershipMenu key={project.id} user={user} role={role} project={project} />
        ))}
        {others !== 0 && <span className="dim">and {others ?? 'many'} more</span>}
        {!admin && memberships.nodes.length === 0 && <span className="dim">in no project</span>}
      </span>
    </span>
  );
}
