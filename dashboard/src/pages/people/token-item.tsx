// One API token in a list: what it may, when it was last used, when it ends, and its revocation.
import { PeopleTokenRevokeDocument } from '../../../../generated/dashboard/graphql.ts';
import { useLiveState } from '../../context.ts';
import { useClock } from '../../view/clock.ts';
import { ConfirmedAction } from '../../view/confirmed-action.tsx';
import { isOperator } from '../../view/permissions.ts';
import { Ago, Time } from '../../view/time.tsx';
import { useMutation } from '../../view/use-mutation.ts';
import { tokenType } from './kinds.ts';
import { OpenLink } from './open-link.tsx';
import { RoleIn } from './roles.tsx';
import type { Token } from './use-tokens.ts';

export function TokenItem({ token }: { readonly token: Token }) {
  const { id, name, role, prefix, project, createdBy } = token;
  return (
    <>
      <span className="line">
        <OpenLink type={tokenType} id={id} name={name} isRow />
        <code className="dim">{prefix}…</code>
        <RoleIn role={role} project={project} />
        <TokenEnd token={token} />
      </span>
      <span className="line">
        <LastUse token={token} />
        {createdBy !== null && <span className="dim">made by {createdBy.name}</span>}
        <RevokeAction token={token} />
      </span>
    </>
  );
}

export function LastUse({ token: { lastUsedAt } }: { readonly token: Token }) {
  if (lastUsedAt === null) return <span className="dim">never used</span>;
  return (
    <span>
      last used <Ago at={lastUsedAt} />
    </span>
  );
}

/** When it ends, or that it has ended. */
export function TokenEnd({ token: { expiresAt, revokedAt } }: { readonly token: Token }) {
  const isOver = useClock((nowMs) => expiresAt !== null && Date.parse(expiresAt) <= nowMs);
  if (revokedAt !== null)
    return (
      <span>
        <b data-status="OFFLINE">revoked</b> <Time at={revokedAt} />
      </span>
    );
  if (expiresAt === null) return <span className="dim">never ends</span>;
  return (
    <span>
      {isOver ? <b data-status="OFFLINE">ended</b> : 'ends'} <Time at={expiresAt} />
    </span>
  );
}

/** Nothing once it is revoked. */
export function RevokeAction({ token: { id, name, project, revokedAt } }: { readonly token: Token }) {
  const { viewer } = useLiveState();
  const control = useMutation(PeopleTokenRevokeDocument);
  if (revokedAt !== null) return null;
  return (
    <ConfirmedAction
      label="Revoke"
      about={name}
      question={`Revoke the token ${name}?`}
      forbidden={isOperator(viewer, project.id) ? null : 'Only operators of its project can do this.'}
      control={control}
      onConfirm={async () => (await control.send({ id })) !== undefined}
    >
      Programs that use it, or a token created with it, are refused within seconds. This cannot be undone.
    </ConfirmedAction>
  );
}
