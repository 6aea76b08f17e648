// `tidegate clusters lag`: how far each cluster is behind the others, as reported by their controllers.
import { graphql } from '../../../generated/cli/index.ts';
import { readAll, readPages } from '../../pages.ts';
import { remoteVerb } from '../../remote-verb.ts';
import { linkRow } from './show.ts';

const document = graphql(`
  query ClustersLag($first: Int, $after: String) {
    objectClusters(first: $first, after: $after) {
      nodes {
        name presence
        controllers { name presence behindDocuments links { number connected behindPartitions lagMs cluster { name } } }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export const lag = remoteVerb({
  summary: 'Show how far each cluster is behind the others.',
  takes: [],
  options: {},
  async run({ client, options, printer }) {
    const clusters = await readAll(readPages(client, document, {}, ({ objectClusters }) => objectClusters));
    if (options.json) return printer.json(clusters);
    const rows = clusters.flatMap(({ name, controllers }) => {
      // The other controllers of a cluster report the same.
      const controller = controllers.find(({ presence }) => presence === 'PRESENT');
      if (controller === undefined) return [[name, '-', 'not heard', '-', '-']];
      return controller.links.map((link) => [name, ...linkRow(link)]);
    });
    return printer.table(['CLUSTER', 'BEHIND', 'LINK', 'PARTITIONS', 'LAG'], rows);
  },
});
