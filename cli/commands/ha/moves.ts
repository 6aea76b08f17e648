// `tidegate ha moves`: switchovers and failovers from the graph, on any machine. `ha history` reads them from the hosts themselves.
import type { HaMovesListQuery } from '../../../generated/cli/graphql.ts';
import { graphql } from '../../../generated/cli/index.ts';
import { readPages } from '../../pages.ts';
import { commonOptions } from '../../remote-verb.ts';
import { listVerb } from '../../row-verbs.ts';

const document = graphql(`
  query HaMovesList($first: Int, $after: String) {
    haMoves(first: $first, after: $after) {
      nodes { id createdAt moveKind previousName primaryName state reason gapMs finishedAt }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

const options = { limit: commonOptions.limit } as const;

export const moves = listVerb<typeof options, HaMovesListQuery['haMoves']['nodes'][number]>({
  summary:
    'List switchovers and failovers, newest first, from any machine; on a host "history" also shows lost writes.',
  options,
  read: ({ client, options: { limit = 20 } }) => readPages(client, document, {}, ({ haMoves }) => haMoves, limit),
  columns: {
    AT: 'createdAt',
    KIND: 'moveKind',
    FROM: 'previousName',
    TO: 'primaryName',
    STATE: 'state',
    MS: 'gapMs',
    REASON: 'reason',
  },
});
