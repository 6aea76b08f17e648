// The backend objects of a CMP object, and its newest calls.
import { graphql } from '../../../generated/cli/index.ts';
import { readAll, readPages } from '../../pages.ts';
import { mappingColumns } from '../mappings/mapping.ts';
import { operationColumns } from '../operations/operation.ts';
import { section } from './section.ts';

const mappingsDocument = graphql(`
  query CmpObjectMappings($namespace: String, $type: String!, $externalId: String!, $first: Int, $after: String) {
    cmpObject(namespace: $namespace, type: $type, externalId: $externalId) {
      mappings(mappingStates: [ACTIVE, UNVERIFIED, ORPHAN], first: $first, after: $after) {
        nodes { ...MappingFields }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
`);

const operationsDocument = graphql(`
  query CmpObjectOperations($namespace: String, $type: String!, $externalId: String!, $first: Int) {
    cmpObject(namespace: $namespace, type: $type, externalId: $externalId) {
      relayOperations(first: $first) { nodes { ...CallFields } }
    }
  }
`);

const newestOperations = 10;

export const relaySection = section({
  name: 'relay',
  async read(client, object) {
    const { cmpObject } = await client.query(operationsDocument, { ...object, first: newestOperations });
    const operations = cmpObject?.relayOperations?.nodes;
    if (operations === undefined) return null;
    const pages = readPages(client, mappingsDocument, object, (data) => data.cmpObject?.mappings);
    return { mappings: await readAll(pages), operations };
  },
  async print(printer, { mappings, operations }) {
    if (mappings.length === 0) await printer.line('  no backend object');
    else await printer.rows(mappingColumns, mappings, { indent: 2 });
    if (operations.length === 0) return;
    await printer.line('');
    await printer.rows(operationColumns, operations, { indent: 2 });
  },
});
