// API tokens of the projects that the viewer operates, newest first.
import { newLink } from '../../forms/links.ts';
import { Link } from '../../view/link.tsx';
import { PagedPanel } from '../../view/paged-panel.tsx';
import { useSettled } from '../../view/use-settled.ts';
import type { PeopleControl } from './filters.ts';
import { TokenItem } from './token-item.tsx';
import { useTokens } from './use-tokens.ts';

export function TokensPanel({ control: { filters } }: { readonly control: PeopleControl }) {
  const { projectId } = filters;
  const text = useSettled(filters.text) || null;
  const paged = useTokens({ projectId, text });
  return (
    <PagedPanel
      name="tokens"
      title="API tokens"
      paged={paged}
      none={
        text === null && projectId === null
          ? 'There is no token. A program of a CMP needs one.'
          : 'No token matches the filters.'
      }
      tools={
        <Link className="tools" href={newLink('ApiToken', projectId === null ? {} : { projectId })}>
          Add a token
        </Link>
      }
      keyOf={({ id }) => id}
      item={(token) => <TokenItem token={token} />}
    />
  );
}
