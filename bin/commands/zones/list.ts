// `tidegate zones list`.
import { remoteVerb } from '../../cli/remote-verb.ts';
import { readZones } from './zone.ts';

export const list = remoteVerb({
  summary: 'List the zones in which GSLBs may be created. Administrators only.',
  takes: [],
  options: {},
  async run({ client, options, printer }) {
    const found = await readZones(client);
    if (options.json) return printer.json(found);
    const rows = found.map(({ name, backend, backendType, generation, keys }) => [
      name,
      backend?.name ?? '-',
      backendType,
      String(generation),
      keys.length === 0 ? '' : 'SIGNED',
    ]);
    return printer.table(['ZONE', 'BACKEND', 'TYPE', 'GENERATION', ''], rows);
  },
});
