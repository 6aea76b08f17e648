// `tidegate lab remove PART`.
import { backendsOf } from '../../../lab/part.ts';
import { askLab, labDataOption } from '../../cli/lab-client.ts';
import { readPart } from '../../cli/lab-names.ts';
import { flag } from '../../cli/option.ts';
import { Printer } from '../../cli/printer.ts';
import { commonOptions } from '../../cli/remote-verb.ts';
import { localVerb } from '../../cli/verb.ts';

export const remove = localVerb({
  summary: 'Delete the backend or the hosts of a part, stop the part, and delete its configuration.',
  takes: ['PART'],
  options: {
    'orphan-mappings': flag(
      'Delete it even if it has live mappings, which become orphans, or nodes, whose hosts then stay in the graph.',
    ),
    data: labDataOption,
    json: commonOptions.json,
  },
  async run({ options, names, stdout, env, signal }) {
    const part = readPart(names[0]);
    const orphanMappings = options['orphan-mappings'];
    await askLab(options.data, { do: 'remove', part, orphanMappings }, signal);
    const printer = new Printer(stdout, env);
    if (options.json) return printer.json({ part, removed: true });
    const backends = backendsOf(part).map((name) => `lab-${name}`);
    const registered =
      backends.length === 0 ? 'machines' : `${backends.length > 1 ? 'backends' : 'backend'} ${backends.join(', ')}`;
    await printer.line(`${part} is stopped; its ${registered} and its configuration are deleted`);
  },
});
