// `tidegate events`: the newest status changes, or all from now on.
import { clientOptions, openClient } from '../client/client-options.ts';
import { projectId } from '../client/find.ts';
import { readPages } from '../client/pages.ts';
import { Printer } from '../client/printer.ts';
import { Arguments, type Command, type CommandContext, exitCodes, UsageError } from '../command.ts';
import { followStatus, type StatusChange } from './status-stream.ts';

export const events: Command = {
  name: 'events',
  usage: 'events [--limit N]\nevents --follow [--after CURSOR]',
  options: {
    follow: { help: 'Go on printing until Ctrl-C; a lost connection is picked up without a gap.', short: 'f' },
    after: { value: 'CURSOR', help: 'With --follow: begin after this cursor instead of now.' },
    limit: { value: 'N', help: 'Without --follow: how many, newest first (20).' },
    kind: { value: 'KIND', help: 'Only this kind, for example relayOperation.state; may be repeated.', multiple: true },
    subject: { value: 'ID', help: "Only this subject's." },
    project: { value: 'PROJECT', help: "Only this project's; its name or id." },
    ...clientOptions,
  },
  async run(context) {
    const args = new Arguments(events, context.args);
    if (args.positionals.length > 0) throw new UsageError(`'${args.positionals[0]}' is not expected`);
    const limit = args.integer('limit', { min: 1, max: 100_000 });
    if (args.flag('follow') && limit !== undefined) throw new UsageError('--limit and --follow exclude each other');
    if (!args.flag('follow') && args.text('after') !== undefined) throw new UsageError('--after needs --follow');
    const client = await openClient(args, context);
    try {
      const kinds = args.texts('kind');
      const project = args.text('project');
      const filter = {
        ...(kinds.length === 0 ? {} : { kinds }),
        ...(args.text('subject') === undefined ? {} : { subjectId: args.text('subject') }),
        ...(project === undefined ? {} : { projectId: await projectId(client, project) }),
      };
      const printer = new Printer(context.stdout, context.env);
      if (args.flag('follow')) await follow({ client, args, context, filter, printer });
      else {
        const changes: StatusChange[] = [];
        for await (const change of readPages<StatusChange>(client, historyDocument, { filter }, limit ?? 20))
          changes.push(change);
        if (args.flag('json')) await printer.json(changes);
        else for (const change of changes) await printer.line(changeLine(change, printer));
      }
      return exitCodes.ok;
    } finally {
      await client.close();
    }
  },
};

const historyDocument = `query ($filter: StatusChangeFilter, $first: Int, $after: String) {
  statusHistory(filter: $filter, first: $first, after: $after) {
    nodes { at kind subjectType subjectId subjectVersion from to reason requestId }
    pageInfo { hasNextPage endCursor }
  }
}`;

interface FollowOptions {
  readonly client: Awaited<ReturnType<typeof openClient>>;
  readonly args: Arguments;
  readonly context: CommandContext;
  readonly filter: object;
  readonly printer: Printer;
}

async function follow({ client, args, context, filter, printer }: FollowOptions): Promise<void> {
  const after = args.text('after');
  let cursor = after;
  const onLost = (why: string) => context.stderr.write(`tidegate: connection lost (${why}): trying again\n`);
  for await (const item of followStatus({ client, after, filter, signal: context.signal, onLost })) {
    cursor = item.cursor;
    if (item.change === null) continue;
    if (args.flag('json')) await printer.ndjson({ cursor, ...item.change });
    else await printer.line(changeLine(item.change, printer));
  }
  if (cursor !== undefined) context.stderr.write(`tidegate: go on with --after ${cursor}\n`);
}

function changeLine(change: StatusChange, printer: Printer): string {
  const from = change.from === null ? '' : `${change.from} → `;
  const reason = change.reason === null ? '' : `  ${change.reason}`;
  const time = printer.colour(change.at, 'grey');
  return `${time}  ${change.kind}  ${change.subjectId}  ${from}${printer.status(change.to)}${reason}`;
}
