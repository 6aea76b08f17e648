// `tidegate mappings list`.
import { commonOptions } from '../../remote-verb.ts';
import { listVerb } from '../../row-verbs.ts';
import { filterOptions, readMappings } from './filters.ts';
import { type Mapping, mappingColumns } from './mapping.ts';

const options = { ...filterOptions, limit: commonOptions.limit } as const;

export const list = listVerb<typeof options, Mapping>({
  summary: 'List mappings, newest first.',
  options,
  read: ({ client, options: given }) => readMappings(client, given, { limit: given.limit ?? 20 }),
  columns: mappingColumns,
});
