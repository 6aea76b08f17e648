// `tidegate machines show NAME`.
import { showVerb } from '../../row-verbs.ts';
import { machineNamed } from './find.ts';
import { roleWord } from './options.ts';

export const show = showVerb({
  summary: 'Show a machine.',
  takes: ['NAME'],
  options: {},
  read: ({ client, names }) => machineNamed(client, names[0]),
  print: (printer, machine) =>
    printer.pairs([
      ['Name', machine.name],
      ['Role', roleWord(machine.machineRole)],
      ['State', machine.machineState],
      ['Created', machine.createdAt],
      ['Joined', machine.joinedAt],
      ['Expires', machine.expiresAt],
      ['Revoked', machine.revokedAt],
      ['Copy refused', machine.copyRefusedAt],
      ['Id', machine.id],
    ]),
});
