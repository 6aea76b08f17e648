// The load balancers of a CMP object.
import { graphql } from '../../../generated/cli/index.ts';
import { readAll, readPages } from '../../pages.ts';
import { section } from './section.ts';

const document = graphql(`
  query CmpObjectLoadBalancers($namespace: String, $type: String!, $externalId: String!, $first: Int, $after: String) {
    cmpObject(namespace: $namespace, type: $type, externalId: $externalId) {
      loadBalancers(first: $first, after: $after) {
        nodes { id name urls provisioningStatus operatingStatus }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
`);

export const balancerSection = section({
  name: 'loadbalancer',
  async read(client, object) {
    const { cmpObject } = await client.query(document, { ...object, first: 1 });
    if (cmpObject?.loadBalancers == null) return null;
    return readAll(readPages(client, document, object, (data) => data.cmpObject?.loadBalancers));
  },
  async print(printer, found) {
    if (found.length === 0) return printer.line('  no load balancer');
    const rows = found.map((each) => [each.name, each.provisioningStatus, each.operatingStatus, each.urls.join(' ')]);
    return printer.table(['NAME', 'PROVISIONING', 'OPERATING', 'URLS'], rows, { indent: 2 });
  },
});
