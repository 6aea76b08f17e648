// The GSLBs of a CMP object.
import { graphql } from '../../../generated/cli/index.ts';
import { readAll, readPages } from '../../pages.ts';
import { section } from './section.ts';

const document = graphql(`
  query CmpObjectGslbs($namespace: String, $type: String!, $externalId: String!, $first: Int, $after: String) {
    cmpObject(namespace: $namespace, type: $type, externalId: $externalId) {
      gslbs(first: $first, after: $after) {
        nodes { id fqdn policy provisioningStatus operatingStatus }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
`);

export const gslbSection = section({
  name: 'gslb',
  async read(client, object) {
    const { cmpObject } = await client.query(document, { ...object, first: 1 });
    if (cmpObject?.gslbs == null) return null;
    return readAll(readPages(client, document, object, (data) => data.cmpObject?.gslbs));
  },
  async print(printer, found) {
    if (found.length === 0) return printer.line('  no GSLB');
    const rows = found.map((each) => [each.fqdn, each.policy, each.provisioningStatus, each.operatingStatus]);
    return printer.table(['NAME', 'POLICY', 'PROVISIONING', 'OPERATING'], rows, { indent: 2 });
  },
});
