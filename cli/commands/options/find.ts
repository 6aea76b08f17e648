// Finds an option of object storage by its name.

import { graphql } from '../../../generated/cli/index.ts';
import { findNamed, namedAs, withOne } from '../../find.ts';
import type { GraphClient } from '../../graph-client.ts';
import { nearText } from '../../named-kinds.ts';
import { readPages } from '../../pages.ts';

const document = graphql(`
  query OptionsNamed($id: ID!, $names: [String!], $first: Int, $after: String) {
    objectOption(id: $id) { id name }
    objectOptions(names: $names, first: $first, after: $after) {
      nodes { id name }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

/** Finds an option by name or id. Throws CommandFailure if there is none. */
export function optionId(client: GraphClient, nameOrId: string): Promise<string> {
  const named = readPages(client, document, namedAs(nameOrId), ({ objectOption, objectOptions }) =>
    withOne(objectOption, objectOptions),
  );
  return findNamed(named, 'option', nameOrId, () => nearText(client, 'options', nameOrId));
}
