// `tidegate objects locate`: the location of an object according to a cluster's resolver.
import { z } from 'zod';
import { clusterVerb } from '../../cluster-verb.ts';
import { objectPath } from './path.ts';

const placeShape = z.object({
  ...{ ring: z.number(), option: z.string().nullable(), epoch: z.number(), partition: z.number() },
  clusters: z.array(z.string()),
});
const placesShape = z.object({
  ...{ id: z.string(), object: placeShape, container: placeShape.nullable() },
  /** Null if the bytes are stored with the name. Absent if unknown. */
  bytes: placeShape.nullable().optional(),
});

const placeText = ({ ring, partition, clusters }: z.output<typeof placeShape>) =>
  `ring ${ring}, partition ${partition}: ${clusters.join(' ')}`;

/** No container has such a name. */
const isId = (given: string) => /^\d{1,5}:[0-9a-f]{32}\//.test(given);

export const locate = clusterVerb({
  summary: 'Show the ring of an object, by its name or its id, and the clusters with a replica.',
  takes: ['CONTAINER/OBJECT'],
  options: {},
  async run({ client, names, options, printer }) {
    const [given] = names;
    const asked = isId(given) ? `?id=${encodeURIComponent(given)}` : `/${objectPath(given)}`;
    const found = await client.json({ method: 'GET', path: `/-/locate_object${asked}` }, placesShape);
    if (options.json) return printer.json(found);
    const { id, object, container, bytes } = found;
    await printer.pairs([
      ['Id', id],
      ['Option', object.option],
      ['Ring', `${object.ring}, epoch ${object.epoch}`],
      ['Partition', object.partition],
      ['Clusters', object.clusters.join(' ')],
      [
        'Bytes at',
        bytes === undefined ? 'unknown here: see stat' : bytes === null ? 'with the name' : placeText(bytes),
      ],
      ["Container's name", container === null ? null : placeText(container)],
    ]);
  },
});
