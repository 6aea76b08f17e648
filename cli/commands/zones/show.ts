// `tidegate zones show NAME`.
import { showVerb } from '../../row-verbs.ts';
import { findZone } from './zone.ts';

export const show = showVerb({
  summary: 'Show a zone: its rights and keys, and the DS records for its parent. Administrators only.',
  takes: ['NAME'],
  options: {},
  read: ({ client, names }) => findZone(client, names[0]),
  async print(printer, zone) {
    await printer.pairs([
      ['Zone', zone.name],
      ['Id', zone.id],
      ['Description', zone.description],
      ['Backend', zone.backend?.name ?? 'our own name servers'],
      ['Type', zone.backendType],
      ['Generation', zone.generation],
      ...zone.ds.map((text) => ['DS for its parent', text] as const),
    ]);
    await printer.section(
      ['NAMES THAT END IN', 'ARE CREATED BY'],
      zone.rights.map(({ suffix, project }) => [suffix, project?.name ?? 'every project']),
    );
    await printer.section(
      ['KEY', 'USE', 'STATE', 'SINCE', 'NAMED BY THE PARENT SINCE'],
      zone.keys.map(({ keyTag, use, keyState, since, namedSince }) => [
        ...[String(keyTag), use, keyState, since, namedSince ?? '-'],
      ]),
    );
  },
});
