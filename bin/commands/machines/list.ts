// `tidegate machines list`.
import { readAll } from '../../cli/pages.ts';
import { remoteVerb } from '../../cli/remote-verb.ts';
import { allMachines } from './find.ts';

const head = ['NAME', 'ROLE', 'STATE', 'JOINED', 'EXPIRES', 'ID'];

export const list = remoteVerb({
  summary: 'List machines.',
  takes: [],
  options: {},
  async run({ client, options, printer }) {
    const found = await readAll(allMachines(client));
    if (options.json) return printer.json(found);
    const rows = found.map(({ name, role, state, joinedAt, expiresAt, id }) => [
      ...[name, role, state, joinedAt ?? '-', expiresAt ?? '-', id],
    ]);
    return printer.table(head, rows);
  },
});
