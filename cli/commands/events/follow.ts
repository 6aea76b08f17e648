// `tidegate events follow`.
import { text } from '../../option.ts';
import { remoteVerb } from '../../remote-verb.ts';
import { followStatus } from '../../status-stream.ts';
import { visible } from '../../visible.ts';
import { changeLine, filterOf, filterOptions, type StatusChange } from './change.ts';
import { SubjectNames } from './subject-names.ts';

export const follow = remoteVerb({
  summary: 'Print status changes as they happen, until Ctrl-C; after a lost connection none is missing.',
  takes: [],
  endsBySignal: true,
  options: { ...filterOptions, after: text('CURSOR', 'Begin after this cursor instead of now.') },
  async run({ client, options, printer, signal, stderr }) {
    const filter = await filterOf(client, options);
    const names = new SubjectNames(client);
    let cursor = options.after;
    const onLost = (why: string) => stderr.write(`tidegate: connection lost (${visible(why)}); reconnecting\n`);
    const onMissed = (why: string) =>
      stderr.write(`tidegate: a change could not be read (${visible(why)}); continuing with the next one\n`);
    for await (const item of followStatus({ client, after: cursor, filter, signal, onLost, onMissed })) {
      cursor = item.cursor;
      if (item.kind === 'CHECKPOINT' || item.change === null) continue;
      if (options.json) await printer.ndjson({ cursor, ...item.change });
      else await printer.line(changeLine(item.change, await nameIn(names, item.change), printer));
    }
    if (cursor !== undefined) stderr.write(`tidegate: continue with --after ${cursor}\n`);
  },
});

/** The cursor is already after the change, so it is printed even if the command is interrupted. */
function nameIn(names: SubjectNames, change: StatusChange): Promise<string> {
  return names.of(change).catch(() => change.subjectId);
}
