// `tidegate ha history`.
import { movesOf } from '../../../ha/moves.ts';
import { hostVerb } from './cluster-verb.ts';

export const history = hostVerb({
  summary: 'Show each move of the primary, and the writes that a move lost.',
  options: {},
  async run({ cluster, options, printer }) {
    const moves = movesOf(await cluster.history()).toReversed();
    if (options.json) return printer.json({ moves });
    const rows = moves.map(({ epoch, createdAt, previous, primary, state, reason, gapMs }) => [
      ...[String(epoch ?? '-'), createdAt.toISOString(), previous, primary, state, reason ?? '-'],
      ...[String(gapMs ?? '-')],
    ]);
    await printer.table(['EPOCH', 'AT', 'FROM', 'TO', 'STATE', 'REASON', 'MS'], rows);
    for (const { primary, epoch, leftBehind } of moves)
      for (const { host, transactions, gtids, folder } of leftBehind)
        await printer.line(
          `${host} had ${transactions} transactions before epoch ${epoch} that ${primary} lacks (${gtids.join(', ')}): they are in ${folder} there; "tidegate ha lost ${epoch}" shows them on that host`,
        );
  },
});
