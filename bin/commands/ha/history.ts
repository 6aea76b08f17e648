// `tidegate ha history`.
import { hostVerb } from './cluster-verb.ts';

export const history = hostVerb({
  summary: 'Show each change of the primary, and what a lost one had that the next one lacks.',
  options: {},
  async run({ cluster, options, printer }) {
    const { changes, saved } = await cluster.history();
    if (options.json) return printer.json({ changes, saved });
    const rows = changes.map((each) => [
      ...[String(each.epoch), each.takenAt, each.previous, each.primary, each.cause],
      ...[String(each.openedAfterMs ?? '-')],
    ]);
    await printer.table(['EPOCH', 'AT', 'FROM', 'TO', 'CAUSE', 'MS'], rows);
    for (const { host, epoch, transactions, gtids, folder } of saved)
      await printer.line(
        `${host} had ${transactions} transactions before epoch ${epoch} that the new primary lacks (${gtids.join(', ')}): they are in ${folder} there`,
      );
  },
});
