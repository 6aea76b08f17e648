// `tidegate machines show NAME`.
import { remoteVerb } from '../../cli/remote-verb.ts';
import { machineNamed } from './find.ts';

export const show = remoteVerb({
  summary: 'Show a machine.',
  takes: ['NAME'],
  options: {},
  async run({ client, options, names, printer }) {
    const machine = await machineNamed(client, names[0]);
    if (options.json) return printer.json(machine);
    return printer.pairs([
      ['Name', machine.name],
      ['Role', machine.role],
      ['State', machine.state],
      ['Created', machine.createdAt],
      ['Joined', machine.joinedAt],
      ['Expires', machine.expiresAt],
      ['Revoked', machine.revokedAt],
      ['Id', machine.id],
    ]);
  },
});
