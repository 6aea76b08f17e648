// `tidegate lab clean`.
import { hasOwnerless } from '../../../lab/claims/claims.ts';
import { removeOwnerless } from '../../../lab/remove-ownerless.ts';
import { CommandFailure } from '../../failures.ts';
import { printerOf } from '../../printer.ts';
import { commonOptions } from '../../remote-verb.ts';
import { localVerb } from '../../verb.ts';

export const clean = localVerb({
  summary: 'Remove what killed processes have left on this machine: processes, namespaces, interfaces, mounts.',
  takes: [],
  options: { json: commonOptions.json },
  async run({ options, ...call }) {
    const printer = printerOf(call);
    const { removed, failures } = await removeOwnerless();
    if (options.json) await printer.json(removed);
    else for (const { kind, name, pid } of removed) await printer.line(`removed the ${kind} ${name} of process ${pid}`);
    if (failures.length > 0) throw new CommandFailure(`not all could be removed: ${failures.join('; ')}`);
    if (process.getuid?.() !== 0 && hasOwnerless(0))
      throw new CommandFailure(
        'a start as root was killed, and only root can remove its remains: sudo bin/tidegate lab clean',
      );
    if (removed.length === 0 && !options.json) await printer.line('nothing was left by killed processes');
  },
});
