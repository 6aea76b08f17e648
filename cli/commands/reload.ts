// `tidegate reload`: switches a gateway to the graph that its settings describe now (docs/extending.md).
import type { Reload } from '../graph-client.ts';
import type { Printer } from '../printer.ts';
import { remoteVerb } from '../remote-verb.ts';

export const reload = remoteVerb({
  summary: 'Have a gateway read its settings of outside subgraphs again. No request fails.',
  takes: [],
  options: {},
  async run({ client, printer, options }) {
    const done = await client.reload();
    if (options.json) return printer.json(done);
    await printReload(printer, done);
  },
});

async function printReload(printer: Printer, { changed, subgraphs, prepared, endedStreams, needRestart }: Reload) {
  await printer.line(changed ? 'The graph was replaced.' : 'The graph is as it was.');
  const names = (list: readonly string[]) => list.join(', ') || '-';
  if (changed)
    await printer.pairs([
      ['Added', names(subgraphs.added)],
      ['Removed', names(subgraphs.removed)],
      ['Moved', names(subgraphs.moved)],
      ['Operations prepared', String(prepared)],
      ['Streams ended', String(endedStreams)],
    ]);
  if (needRestart.length > 0)
    await printer.line(`These settings have changed, too, and count after a restart: ${needRestart.join(', ')}`);
}
