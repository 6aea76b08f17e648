// Finds the command that was asked for and runs it: help, wrong use and failures come out the same way for all.
import {
  type Command,
  type CommandContext,
  type CommandEntry,
  CommandFailure,
  type CommandOption,
  exitCodes,
  type Output,
  UsageError,
} from './command.ts';

/** `context.args` begins with the command's name. Resolves with the exit code; bugs are thrown. */
export async function dispatch(commands: readonly CommandEntry[], context: CommandContext): Promise<number> {
  const [name, ...args] = context.args;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const asked = commands.find((each) => name === 'help' && each.name === args[0]);
    context.stdout.write(asked === undefined ? overview(commands) : await commandHelp(asked));
    return name === undefined ? exitCodes.usage : exitCodes.ok;
  }
  const entry = commands.find((each) => each.name === name);
  if (entry === undefined) {
    return complain(context.stderr, `there is no command '${name}'`, 'tidegate --help lists them.', exitCodes.usage);
  }
  const end = args.indexOf('--');
  if (args.slice(0, end < 0 ? undefined : end).some((each) => each === '--help' || each === '-h')) {
    context.stdout.write(await commandHelp(entry));
    return exitCodes.ok;
  }
  try {
    const command = await entry.load();
    return await command.run({ ...context, args });
  } catch (error) {
    if (error instanceof UsageError) {
      return complain(context.stderr, error.message, `tidegate ${name} --help says more.`, exitCodes.usage);
    }
    if (error instanceof CommandFailure) return complain(context.stderr, error.message, undefined, error.exitCode);
    throw error;
  }
}

function complain(stderr: Output, message: string, hint: string | undefined, exitCode: number): number {
  stderr.write(`tidegate: ${message}\n${hint === undefined ? '' : `${hint}\n`}`);
  return exitCode;
}

function overview(commands: readonly CommandEntry[]): string {
  const lines = columns(commands.map((each) => [each.name, each.summary]));
  return `Usage: tidegate COMMAND …\n\nCommands:\n${lines}\n\ntidegate COMMAND --help says more of one.\n`;
}

async function commandHelp(entry: CommandEntry): Promise<string> {
  const command: Command = await entry.load();
  const usage = command.usage
    .trim()
    .split('\n')
    .map((line) => `  tidegate ${line.trim()}`)
    .join('\n');
  const rows = Object.entries(command.options).map(([name, option]): [string, string] => [
    optionForm(name, option),
    option.help,
  ]);
  return `${entry.summary}\n\nUsage:\n${usage}\n\nOptions:\n${columns([...rows, ['--help, -h', 'Print this.']])}\n`;
}

function optionForm(name: string, option: CommandOption): string {
  const long = option.value === undefined ? `--${name}` : `--${name} ${option.value}`;
  return option.short === undefined ? long : `${long}, -${option.short}`;
}

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n');
}
