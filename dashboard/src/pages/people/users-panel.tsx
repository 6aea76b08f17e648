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
import { OpenLink } from './open-link.tsx';
import { RoleIn } from './roles.tsx';
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
    />
  );
}

function UserItem({ user: { id, name, admin, enabled, memberships } }: { readonly user: User }) {
  const others = memberships.totalCount === null ? null : memberships.totalCount - memberships.nodes.length;
  return (
    <span className="line">
      <OpenLink type={userType} id={id} name={name} isRow />
      {!enabled && <b data-status="OFFLINE">disabled</b>}
      {admin && <b>administrator</b>}
      {memberships.nodes.map((membership) => (
        <RoleIn key={membership.project.id} role={membership.role} project={membership.project} />
      ))}
      {others !== 0 && <span className="dim">and {others ?? 'many'} more</span>}
      {!admin && memberships.nodes.length === 0 && <span className="dim">in no project</span>}
    </span>
  );
}
