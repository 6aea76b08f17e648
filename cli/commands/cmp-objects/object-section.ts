// The containers of object storage of a CMP object.
import { graphql } from '../../../generated/cli/index.ts';
import { readAll, readPages } from '../../pages.ts';
import { section } from './section.ts';

const document = graphql(`
  query CmpObjectContainers($namespace: String, $type: String!, $externalId: String!, $first: Int, $after: String) {
    cmpObject(namespace: $namespace, type: $type, externalId: $externalId) {
      objectContainers(first: $first, after: $after) {
        nodes { id name option { name } createdAt project { name } }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
`);

export const objectSection = section({
  name: 'object-storage',
  async read(client, object) {
    const { cmpObject } = await client.query(document, { ...object, first: 1 });
    if (cmpObject?.objectContainers == null) return null;
    return readAll(readPages(client, document, object, (data) => data.cmpObject?.objectContainers));
  },
  async print(printer, found) {
    if (found.length === 0) return printer.line('  no container');
    const rows = found.map((each) => [each.name, each.project.name, each.option?.name ?? '-', each.createdAt]);
    return printer.table(['CONTAINER', 'PROJECT', 'OPTION', 'CREATED'], rows, { indent: 2 });
  },
});
