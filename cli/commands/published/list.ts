// `tidegate published list`.
import { graphql } from '../../../generated/cli/index.ts';
import { readPages } from '../../pages.ts';
import { listVerb } from '../../row-verbs.ts';

const document = graphql(`
  query PublishedList($first: Int, $after: String) {
    publishedOperations(first: $first, after: $after) {
      nodes { id hash name operationType createdAt }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export const list = listVerb({
  summary: 'List published operations.',
  options: {},
  read: ({ client }) => readPages(client, document, {}, ({ publishedOperations }) => publishedOperations),
  columns: { NAME: 'name', TYPE: 'operationType', PUBLISHED: 'createdAt', HASH: 'hash' },
});
