// `tidegate objects locate`: what the resolver of a cluster says of where an object is.
import { z } from 'zod';
import { clusterVerb } from '../../cli/cluster-verb.ts';
import { objectPath } from './path.ts';

const placeShape = z.object({
  ...{ ring: z.number(), option: z.string().nullable(), epoch: z.number(), partition: z.number() },
  clusters: z.array(z.string()),
});
const placesShape = z.object({ id: z.string(), object: placeShape, container: placeShape.nullable() });

/** No container is named so. */
const isId = (given: string) => /^\d{1,5}:[0-9a-f]{32}\//.test(given);

export const locate = clusterVerb({
  summary: 'Tell on which ring an object is, and which clusters of it hold a replica, by its name or its id.',
  takes: ['CONTAINER/OBJECT'],
  options: {},
  async run({ client, names, options, printer }) {
    const [given] = names;
    const asked = isId(given) ? `?id=${encodeURIComponent(given)}` : `/${objectPath(given)}`;
    const found = await client.json({ method: 'GET', path: `/-/locate_object${asked}` }, placesShape);
    if (options.json) return printer.json(found);
    const { id, object, container } = found;
    await printer.pairs([
      ['Id', id],
      ['Option', object.option],
      ['Ring', `${object.ring}, epoch ${object.epoch}`],
      ['Partition', object.partition],
      ['Clusters', object.clusters.join(' ')],
      [
        "Container's name",
        container === null
          ? null
          : `ring ${container.ring}, partition ${container.partition}: ${container.clusters.join(' ')}`,
      ],
    ]);
  },
});
