// What a role allows, in words.
import type { PeopleMembersQuery } from '../../../../generated/dashboard/graphql.ts';
import { formatWord } from '../../view/format.ts';
import { projectType } from './kinds.ts';
import { OpenLink } from './open-link.tsx';

export type Role = NonNullable<PeopleMembersQuery['project']>['members']['nodes'][number]['role'];

export const roles: readonly Role[] = ['OPERATOR', 'MEMBER', 'VIEWER'];

/** From the graph's own descriptions. */
export const meanings: Readonly<Record<Role, string>> = {
  OPERATOR: "manages the project's resources, tokens and alert channels, and settles unknown outcomes",
  MEMBER: 'changes the resources of the project',
  VIEWER: 'reads',
};

export function RoleName({ role }: { readonly role: Role }) {
  return <b title={meanings[role]}>{formatWord(role)}</b>;
}

interface RoleInProps {
  readonly role: Role;
  readonly project: { readonly id: string; readonly name: string };
}

export function RoleIn({ role, project }: RoleInProps) {
  return (
    <span>
      <RoleName role={role} /> of <OpenLink type={projectType} {...project} />
    </span>
  );
}

export function RoleLegend() {
  return (
    <p className="dim">
      {Object.entries(meanings)
        .map(([role, meaning]) => `A ${formatWord(role)} ${meaning}.`)
        .join(' ')
        .replace('A operator', 'An operator')}{' '}
      Each role includes those listed after it.
    </p>
  );
}
