// `tidegate ha tag`.
import { mostPriority } from '../../../ha/agent/tags.ts';
import { UsageError } from '../../failures.ts';
import { choice, integer } from '../../option.ts';
import { hostVerb } from './cluster-verb.ts';

export const tag = hostVerb({
  summary: 'Set whether a data host may take over by itself, and which host is kept in sync before others.',
  takes: ['HOST'],
  options: {
    'no-failover': choice('ON', ['on', 'off'], 'It becomes the primary only if a person asks for it.'),
    priority: integer(
      'N',
      'Of several hosts, the one with the highest number is kept in sync, and so takes over (0).',
      {
        least: 0,
        most: mostPriority,
      },
    ),
  },
  async run({ names, cluster, asker, options, printer }) {
    const [host = ''] = names;
    const { 'no-failover': noFailover, priority } = options;
    if (noFailover === undefined && priority === undefined)
      throw new UsageError('name a tag: --no-failover on, --no-failover off, or --priority N');
    const tags = await cluster.tag(
      host,
      {
        ...(noFailover !== undefined && { noFailover: noFailover === 'on' }),
        ...(priority !== undefined && { priority }),
      },
      asker,
    );
    if (options.json) return printer.json({ host, ...tags });
    const takesOver = tags.noFailover ? 'becomes the primary only if a person asks for it' : 'may take over by itself';
    await printer.line(`${host} ${takesOver}. Its priority is ${tags.priority}.`);
  },
});
