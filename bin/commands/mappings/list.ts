// `tidegate mappings list`.
import { readAll } from '../../cli/pages.ts';
import { commonOptions, remoteVerb } from '../../cli/remote-verb.ts';
import { filterOptions, readMappings } from './filters.ts';
import { mappingHead, mappingRow } from './mapping.ts';

export const list = remoteVerb({
  summary: 'List mappings, newest first.',
  takes: [],
  options: { ...filterOptions, limit: commonOptions.limit },
  async run({ client, options, printer }) {
    const found = await readAll(readMappings(client, options, { limit: options.limit ?? 20 }));
    if (options.json) return printer.json(found);
    return printer.table(mappingHead, found.map(mappingRow));
  },
});
