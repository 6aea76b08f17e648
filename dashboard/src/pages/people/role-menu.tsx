// The role of a member as a menu, for administrators. It takes effect at once, and is a word for all others.
import { PeopleMembershipSetDocument } from '../../../../generated/dashboard/graphql.ts';
import { useLiveState } from '../../context.ts';
import { formatWord } from '../../view/format.ts';
import { Failures } from '../../view/refusal.tsx';
import { useMutation } from '../../view/use-mutation.ts';
import { projectType } from './kinds.ts';
import { OpenLink } from './open-link.tsx';
import { meanings, type Role, RoleName, roles } from './roles.tsx';

interface Named {
  readonly id: string;
  readonly name: string;
}

interface RoleMenuProps {
  readonly user: Named;
  readonly project: Named;
  readonly role: Role;
}

export function RoleMenu({ user, project, role }: RoleMenuProps) {
  const { viewer } = useLiveState();
  const { isBusy, failures, send } = useMutation(PeopleMembershipSetDocument);
  if (viewer?.admin !== true) return <RoleName role={role} />;
  return (
    <>
      <select
        className="role"
        aria-label={`Role of ${user.name} in ${project.name}`}
        title={meanings[role]}
        value={role}
        disabled={isBusy}
        onChange={({ target }) => void send({ projectId: project.id, userId: user.id, role: target.value as Role })}
      >
        {roles.map((each) => (
          <option key={each} value={each}>
            {formatWord(each)}
          </option>
        ))}
      </select>
      <Failures failures={failures} />
    </>
  );
}

/** `operator of acme`, with the menu. */
export function MembershipMenu(props: RoleMenuProps) {
  return (
    <span className="membership">
      <RoleMenu {...props} /> <span>of</span> <OpenLink type={projectType} {...props.project} />
    </span>
  );
}
