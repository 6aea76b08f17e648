// A list of API tokens, newest first: of a project, of a user, or of all that the viewer may see.
import { useCallback } from 'react';
import { PeopleTokensDocument, type PeopleTokensQuery } from '../../../../generated/dashboard/graphql.ts';
import { useDependencies } from '../../context.ts';
import { type Paged, usePaged } from '../../view/use-paged.ts';
import { everyMs, useNews } from './use-news.ts';

export type Token = PeopleTokensQuery['apiTokens']['nodes'][number];

interface TokenFilter {
  readonly projectId?: string | null;
  readonly userId?: string | null;
  readonly text?: string | null;
}

export function useTokens({ projectId = null, userId = null, text = null }: TokenFilter): Paged<Token> {
  const { requester } = useDependencies();
  const readPage = useCallback(
    async (after: string | null) =>
      (await requester.request(PeopleTokensDocument, { projectId, userId, text, after })).apiTokens,
    [requester, projectId, userId, text],
  );
  return usePaged(readPage, useNews(), everyMs);
}
