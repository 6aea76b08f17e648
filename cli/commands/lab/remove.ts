// `tidegate lab remove PART`.
import { backendsOf } from '../../../lab/device.ts';
import { askLab, labDataOption } from '../../lab-client.ts';
import { readDevice } from '../../lab-names.ts';
import { flag } from '../../option.ts';
import { printerOf } from '../../printer.ts';
import { commonOptions } from '../../remote-verb.ts';
import { localVerb } from '../../verb.ts';

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
  async run({ options, names, ...call }) {
    const device = readDevice(names[0]);
    const orphanMappings = options['orphan-mappings'];
    await askLab(options.data, { do: 'remove', part: device, orphanMappings }, call.signal);
    const printer = printerOf(call);
    if (options.json) return printer.json({ part: device, removed: true });
    const backends = backendsOf(device).map((name) => `lab-${name}`);
    const registered =
      backends.length === 0
        ? device === 'inbox'
          ? 'alert channels'
          : 'machines'
        : `${backends.length > 1 ? 'backends' : 'backend'} ${backends.join(', ')}`;
    await printer.line(`${device} is stopped; its ${registered} and its configuration are deleted`);
  },
});
