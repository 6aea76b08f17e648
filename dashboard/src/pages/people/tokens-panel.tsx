// API tokens of the projects that the viewer operates, newest first.
import { CreateLink } from '../../forms/create-link.tsx';
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
          ? 'No tokens yet. A CMP needs one to call the API.'
          : 'No token matches the filters.'
      }
      tools={
        <CreateLink kind="ApiToken" presets={{ projectId: projectId ?? undefined }} projectId={projectId ?? undefined}>
          Add a token
        </CreateLink>
      }
      keyOf={({ id }) => id}
      item={(token) => <TokenItem token={token} />}
    />
  );
}
