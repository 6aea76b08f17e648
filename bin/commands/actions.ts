// Commands with actions (`backends list`, `backends show NAME`): picks the action, checks how many names it takes.
import { openClient } from './client/client-options.ts';
import type { GraphClient } from './client/graph-client.ts';
import { Printer } from './client/printer.ts';
import { Arguments, type Command, type CommandContext, exitCodes, UsageError } from './command.ts';

export interface ActionContext {
  readonly client: GraphClient;
  readonly args: Arguments;
  /** What follows the action's name. */
  readonly names: readonly string[];
  readonly printer: Printer;
  readonly json: boolean;
  readonly env: CommandContext['env'];
}

export interface Action {
  /** For messages, for example NAME; one for each positional argument. */
  readonly takes: readonly string[];
  run(context: ActionContext): Promise<void>;
}

/** Runs the action that the first argument names against a running Tidegate. */
export async function runAction(
  command: Command,
  actions: Readonly<Record<string, Action>>,
  context: CommandContext,
): Promise<number> {
  const args = new Arguments(command, context.args);
  const [name, ...names] = args.positionals;
  const action = name === undefined || !Object.hasOwn(actions, name) ? undefined : actions[name];
  if (action === undefined) {
    const known = Object.keys(actions).join(', ');
    throw new UsageError(name === undefined ? `one of ${known} is needed` : `'${name}' is none of ${known}`);
  }
  if (names.length !== action.takes.length) {
    throw new UsageError(`${command.name} ${name} takes ${action.takes.join(' ') || 'no further argument'}`);
  }
  const client = await openClient(args, context);
  try {
    const printer = new Printer(context.stdout, context.env);
    await action.run({ client, args, names, printer, json: args.flag('json'), env: context.env });
    return exitCodes.ok;
  } finally {
    await client.close();
  }
}
