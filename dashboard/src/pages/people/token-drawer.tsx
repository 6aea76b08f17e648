// One API token.
import { useCallback } from 'react';
import { PeopleApiTokenDocument } from '../../../../generated/dashboard/graphql.ts';
import { useDependencies } from '../../context.ts';
import { Drawer, Facts } from '../../view/drawer.tsx';
import { Moment } from '../../view/time.tsx';
import { useReading } from '../../view/use-reading.ts';
import { tokenType } from './kinds.ts';
import { Missing } from './missing.tsx';
import { OpenLink } from './open-link.tsx';
import { meanings, RoleIn } from './roles.tsx';
import { LastUse, RevokeAction, TokenEnd } from './token-item.tsx';
import { everyMs, useNews } from './use-news.ts';

interface TokenDrawerProps {
  readonly id: string;
  readonly onClose: () => void;
}

export function TokenDrawer({ id, onClose }: TokenDrawerProps) {
  const { requester } = useDependencies();
  const read = useCallback(async () => {
    const { node } = await requester.request(PeopleApiTokenDocument, { id });
    return node?.__typename === 'ApiToken' ? node : null;
  }, [requester, id]);
  const { value: token, failure } = useReading(read, useNews(), everyMs);
  return (
    <Drawer id={id} title={token?.name ?? 'API token'} onClose={onClose}>
      {token == null ? (
        <Missing isGone={token === null} failure={failure} />
      ) : (
        <>
          <div className="actions">
            <RevokeAction token={token} />
          </div>
          <Facts
            facts={[
              { name: 'Role', value: <RoleIn role={token.role} project={token.project} /> },
              { name: 'May', value: meanings[token.role] },
              { name: 'Begins with', value: <code>{token.prefix}</code> },
              { name: 'Use', value: <LastUse token={token} /> },
              { name: 'End', value: <TokenEnd token={token} /> },
              { name: 'Made', value: <Moment at={token.createdAt} /> },
              { name: 'By', value: token.createdBy?.name ?? 'the command line' },
              {
                name: 'With',
                value: token.parent && <OpenLink type={tokenType} {...token.parent} />,
              },
              { name: 'Id', value: <code>{token.id}</code> },
            ]}
          />
        </>
      )}
    </Drawer>
  );
}
