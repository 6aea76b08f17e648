// `tidegate zones show NAME`.
import { remoteVerb } from '../../cli/remote-verb.ts';
import { findZone } from './zone.ts';

export const show = remoteVerb({
  summary: 'Show a zone: who may create names in it, its keys, and the DS records for its parent. Administrators only.',
  takes: ['NAME'],
  options: {},
  async run({ client, names, options, printer }) {
    const zone = await findZone(client, names[0]);
    if (options.json) return printer.json(zone);
    await printer.pairs([
      ['Zone', zone.name],
      ['Id', zone.id],
      ['Description', zone.description],
      ['Backend', zone.backend?.name ?? 'our own name servers'],
      ['Type', zone.backendType],
      ['Generation', zone.generation],
      ...zone.ds.map((text) => ['DS for its parent', text] as const),
    ]);
    if (zone.rights.length > 0) {
      await printer.line('');
      await printer.table(
        ['NAMES THAT END IN', 'ARE CREATED BY'],
        zone.rights.map(({ suffix, projectId }) => [suffix, projectId ?? 'every project']),
      );
    }
    if (zone.keys.length === 0) return;
    await printer.line('');
    await printer.table(
      ['KEY', 'USE', 'STATE', 'SINCE', 'NAMED BY THE PARENT SINCE'],
      zone.keys.map(({ keyTag, use, state, since, namedSince }) => [
        String(keyTag),
        use,
        state,
        since,
        namedSince ?? '-',
      ]),
    );
  },
});
